-- Appends of events to logs, among the other operations. It follows write.lua, append_events.lua and stream_room.lua.
--
-- After the key of the log, an append is: 1 to publish the last id or else 0, the retention, the number of events, the
-- events.

-- How many entries each log gets.
local appended = {}

CHECKS.append = function(operation)
  local log, publishes, retention = operation.record, take() == '1', retention_at(args, next_arg + 1)
  next_arg = next_arg + 4
  local count = take_number()
  local first = next_arg + 1
  for _ = 1, count do next_arg = next_arg + 1 + args[next_arg + 1] end
  local kind = call('TYPE', log).ok
  if kind ~= 'none' and kind ~= 'stream' then return refuse(operation.number, 'no stream', operation.layout, log) end
  appended[log] = (appended[log] or 0) + count
  if not has_room(log, appended[log]) then return refuse(operation.number, 'full', operation.layout, log) end
  operation.append = function() return append_events(log, '*', args, first, count, retention, publishes) end
end
