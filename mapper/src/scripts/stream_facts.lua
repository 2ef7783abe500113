-- What is known about a stream. A part of other scripts.

-- Returns the values of a reply to XINFO by their names.
local function by_name(info)
  local values = {}
  for at = 1, #info, 2 do values[info[at]] = info[at + 1] end
  return values
end

-- Returns the last id, the number of entries that were ever added, the largest id that XDEL has removed, the number
-- of entries, and the id of the first one. A stream that does not exist has none. `facts` in Rust says what follows
-- from them.
local function facts_of(stream)
  local call = redis.call
  if call('EXISTS', stream) == 0 then return { last = '0-0', added = 0, removed = '0-0', length = 0, first = '0-0' } end
  local info = by_name(call('XINFO', 'STREAM', stream))
  local first = info['first-entry']
  return {
    last = info['last-generated-id'],
    added = info['entries-added'],
    removed = info['max-deleted-entry-id'],
    length = info['length'],
    first = first and first[1] or '0-0',
  }
end

-- Returns the version of a versioned log: a number, or nil if another writer has added entries with ids of their own.
-- All its ids are `VERSION-0`, so the last one is the number of entries that were ever added, whatever was removed
-- since. A server that does not count them says nothing about it.
local function version_of(facts)
  local version, sequence = string.match(facts.last, '^(%d+)-(%d+)$')
  version = tonumber(version)
  if sequence ~= '0' or facts.added and version ~= facts.added then return nil end
  return version
end

-- Returns what tells a versioned log from one that was there before under the same key: the commit of its first
-- event. It is "" if that event was removed.
local function origin_of(stream)
  local first = redis.call('XRANGE', stream, '1-0', '1-0')[1]
  return first and first[2][1] == ':commit' and first[2][2] or ''
end

-- Returns a number as it is in ids. Lua itself writes large ones as 1e+15.
local function digits(number)
  return string.format('%.0f', number)
end
