-- Adds jobs.
--
-- KEYS: also the key of the caller, if ARGV[3] is not 0
-- ARGV: also the delay in ms, how long to know the caller's key in ms, the fingerprint of the jobs, and their elements
--
-- Returns `new` and the ids, or `known` and the id that was added under the caller's key before; `used` and that id if
-- it was another job.

local delay, known_for, fingerprint = tonumber(ARGV[2]), ARGV[3], ARGV[4]
local caller_key = KEYS[before_keys + 6]
if caller_key then
  local kept = call('GET', caller_key)
  if kept then
    local used_for, id = string.match(kept, '^(%S+) (%d+)$')
    return finish({used_for == fingerprint and 'known' or 'used', id})
  end
end

local outcome = {'new'}
for at = 5, #ARGV do
  local id = next_number()
  call('HSET', jobs, id, ARGV[at])
  if delay > 0 then
    call('ZADD', delayed, text_of(now + delay), id)
  else
    call('RPUSH', waiting, id)
  end
  outcome[#outcome + 1] = id
end
if caller_key then call('SET', caller_key, fingerprint .. ' ' .. outcome[2], 'PX', known_for) end
return finish(outcome)
