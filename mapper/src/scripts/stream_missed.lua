-- How many entries a group has missed. A part of other scripts, after stream_facts.lua. `Facts::missed_by` in Rust
-- does the same.

-- Returns the last id that was delivered to a group, and how many entries it has read up to there, if the server knows.
local function progress_of(stream, group)
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local values = by_name(info)
    local delivered = values['last-delivered-id']
    -- Before the first delivery, the server does not count.
    if values['name'] == group then return delivered, values['entries-read'] or delivered == '0-0' and 0 end
  end
end

-- Tells the server how many entries a group has read. An old one does not take it.
local function set_progress(stream, group, delivered, read)
  redis.pcall('XGROUP', 'SETID', stream, group, delivered, 'ENTRIESREAD', digits(read))
end

-- Returns how many entries were removed after the last delivery of a group, before it has read them, or -1 if the
-- server does not know; and how many the stream has removed at all.
local function missed_by(stream, facts, delivered, read)
  local removed = math.max(0, (facts.added or 0) - facts.length)
  if not facts.added or not read then return -1, removed end
  local missed = math.max(0, removed - read)
  -- If an entry exists that was delivered, none after it was trimmed.
  if missed > 0 and #redis.call('XRANGE', stream, '-', delivered, 'COUNT', 1) > 0 then missed = 0 end
  return missed, removed
end
