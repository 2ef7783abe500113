-- Claims pending entries by id. Unlike XCLAIM, it reports those that were trimmed instead of dropping them in silence.
--
-- KEYS: the log
-- ARGV: the group, the consumer, the idle time in ms, the ids
--
-- The reply is the entries, and the ids that are not pending any more because their entries were trimmed.

local call = redis.call
local log, group, consumer, min_idle = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local entries, deleted = {}, {}
for at = 4, #ARGV do
  local id = ARGV[at]
  local pending = call('XPENDING', log, group, id, id, 1)[1]
  if pending and call('XRANGE', log, id, id)[1] == nil then
    call('XACK', log, group, id)
    deleted[#deleted + 1] = id
  elseif pending then
    entries[#entries + 1] = call('XCLAIM', log, group, consumer, min_idle, id)[1]
  end
end
return { entries, deleted }
