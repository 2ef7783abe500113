
-- Adds jobs.
--
-- KEYS: also the key of the caller, if ARGV[3] is not 0
-- ARGV: also the delay in ms, how long to remember the caller's key in ms, and the elements
--
-- Returns `new` and the ids, or `known` and the id that was added under the caller's key before.

local delay, remember_for = tonumber(ARGV[2]), ARGV[3]
local caller_key = KEYS[before_keys + 6]
if caller_key then
  local known = call('GET', caller_key)
  if known then return finish({'known', known}) end
end

local outcome = {'new'}
for at = 4, #ARGV do
  local id = next_number()
  call('HSET', jobs, id, ARGV[at])
  if delay > 0 then
    call('ZADD', delayed, text_of(now + delay), id)
  else
    call('RPUSH', waiting, id)
  end
  outcome[#outcome + 1] = id
end
if caller_key then call('SET', caller_key, outcome[2], 'PX', remember_for) end
return finish(outcome)
