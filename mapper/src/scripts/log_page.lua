-- A page of a log, and what is known about the log at the same moment: so the reader sees whether entries are
-- missing. With a snapshot, the page begins after its version: a state is loaded by one command.
--
-- KEYS: the log, and the snapshot if there may be one
-- ARGV: the id after which to read, the most entries, and with a snapshot its schema
--
-- Returns the facts (the last id, the number of entries that were ever added or -1, the largest id that XDEL has
-- removed, the number of entries, the id of the first one), the id after which the page begins, the snapshot (an
-- array of the state and the checksum, `none`, or `unfit`), and the entries.

local call = redis.call
local log, snapshot, after, count, schema = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local facts = facts_of(log)

-- Returns the version and the parts of a snapshot that fits: of the same schema, not from the future, and of this
-- log. One that was deleted and begun again has another origin.
local function fitting(fields)
  local version = tonumber(string.match(fields[1] or '', '^%d%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?$'))
  local last = version_of(facts)
  if not version or not last or version > last or fields[2] ~= schema or not fields[3] then return end
  local origin = origin_of(log)
  if origin ~= '' and fields[5] ~= origin then return end
  return version, { fields[3], fields[4] or '' }
end

local found = 'none'
if snapshot then
  -- A key of another type holds no snapshot, but must not keep anybody from reading the log.
  local fields = redis.pcall('HMGET', snapshot, 'version', 'schema', 'state', 'checksum', 'origin')
  if fields.err or fields[1] or fields[2] or fields[3] then found = 'unfit' end
  local version, parts = nil, nil
  if not fields.err then version, parts = fitting(fields) end
  if version then after, found = digits(version) .. '-0', parts end
end

local entries = call('XRANGE', log, '(' .. after, '+', 'COUNT', count)
local known = { facts.last, facts.added or -1, facts.removed or '0-0', facts.length, facts.first }
return { known, after, found, entries or {} }
