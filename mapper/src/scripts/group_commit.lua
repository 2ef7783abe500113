-- Commits a unit of work and acknowledges an entry, both or neither. What comes before this, `write`, is the script of
-- write.lua as a function.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the stream of the entry, the keys of the unit
-- ARGV: how long to keep the outcome in ms, the group, the consumer, the id, the count, `1` if the entry is also
-- removed,
--       the arguments of the unit without the first
--
-- The reply is that of write.lua, which also says that the entry is not that of this consumer and count any more.

local call = redis.call
local at = ARGV[1] == '0' and 0 or 1

if at == 1 then
  local outcome = call('GET', KEYS[1])
  if outcome then return outcome end
end

local stream, group, consumer, id, count, is_removed = KEYS[at + 1], unpack(ARGV, 2, 6)

local function is_own()
  local reply = redis.pcall('XPENDING', stream, group, id, id, 1)
  local pending = not reply.err and reply[1]
  return pending and pending[2] == consumer and pending[4] == tonumber(count)
end

local outcome
if is_own() then
  -- Nonces and their outcomes are those of this script.
  local keys, args = { unpack(KEYS, at + 2) }, { '0' }
  for number = 7, #ARGV do args[number - 5] = ARGV[number] end
  outcome = write(keys, args)
  if string.sub(outcome, 1, 4) == '2:ok' then
    call('XACK', stream, group, id)
    if is_removed == '1' then call('XDEL', stream, id) end
  end
else
  outcome = '7:refused1:05:fence0:' .. #stream .. ':' .. stream .. '0:0:'
end
if at == 1 then call('SET', KEYS[1], outcome, 'PX', ARGV[1]) end
return outcome
