-- How many entries a group has missed. A part of other scripts, after stream_facts.lua. `Facts::missed_by` in Rust
-- does the same.

-- Returns how many entries were removed after the last delivery of the group, before it has read them, or -1 if the
-- server does not know. `delivered` and `read` are `last-delivered-id` and `entries-read` of XINFO GROUPS.
local function missed_by(stream, delivered, read)
  local facts = facts_of(stream)
  -- Before the first delivery, the server does not count.
  if delivered == '0-0' then read = 0 end
  if not facts.added or not read then return -1 end
  local removed = math.max(0, facts.added - facts.length - read)
  -- If an entry exists that was delivered, none after it was trimmed.
  if removed > 0 and #redis.call('XRANGE', stream, '-', delivered, 'COUNT', 1) > 0 then return 0 end
  return removed
end
