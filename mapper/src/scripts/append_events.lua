-- How scripts append events to a plain log. It follows retain.lua.

-- Appends the events that stand in a list from `at` on: for each, the number of its texts, then names and values.
-- `first_id` is the id of the first, or `*`. Removes what the log need not keep. Returns the ids, with spaces between
-- them.
local function append_events(log, first_id, list, at, count, retention, publishes)
  local ids = {}
  for number = 1, count do
    local last = at + list[at]
    ids[number] = redis.call('XADD', log, number == 1 and first_id or '*', unpack(list, at + 1, last))
    at = last + 1
  end
  retain(log, retention)
  -- Readers wake up. What they read is in the log, so only the last id is of use.
  -- A message is a hint. Who may not publish has appended all the same.
  if publishes then redis.pcall('PUBLISH', log, ids[count]) end
  return table.concat(ids, ' ')
end
