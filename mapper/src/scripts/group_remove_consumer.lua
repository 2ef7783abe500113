-- Removes a consumer that has nothing pending. XGROUP DELCONSUMER alone would drop what is pending: nobody handles it
-- then.
--
-- KEYS: the log, the stream of redriven entries
-- ARGV: the group, the consumer
--
-- The reply is the number of pending entries, if there are any, or else -1 if it has been removed, and 0 if there was
-- none.

local call = redis.call
local group, consumer = ARGV[1], ARGV[2]

local function pending_in(stream)
  local reply = redis.pcall('XPENDING', stream, group)
  if reply.err then
    if stream == KEYS[1] then return nil, reply end
    return 0
  end
  for _, one in ipairs(reply[4] or {}) do
    if one[1] == consumer then return tonumber(one[2]) end
  end
  return 0
end

local pending, problem = pending_in(KEYS[1])
if problem then return problem end
local redriven = pending_in(KEYS[2])
if pending + redriven > 0 then return pending + redriven end

local function has_consumer(stream)
  for _, info in ipairs(call('XINFO', 'CONSUMERS', stream, group)) do
    for at = 1, #info, 2 do
      if info[at] == 'name' and info[at + 1] == consumer then return true end
    end
  end
end

local existed = has_consumer(KEYS[1])
call('XGROUP', 'DELCONSUMER', KEYS[1], group, consumer)
redis.pcall('XGROUP', 'DELCONSUMER', KEYS[2], group, consumer)
return existed and -1 or 0
