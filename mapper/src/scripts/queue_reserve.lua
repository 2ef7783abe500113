
-- Reserves jobs. What dead workers held is taken back first, and delays end.
--
-- ARGV: also how many jobs, for how long in ms, how many attempts a job has, and the worker
--
-- Returns the deadline in ms, and for each job its id, the number of its reservation, its attempt and its element.

local count, hold_for, max_attempts, worker = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]

-- A call does a bounded amount of work beside its own.
local AT_MOST = 100
take_back(math.max(count, AT_MOST), max_attempts)
end_delays(math.max(count, AT_MOST))

-- Returns the next job. Those whose elements another program has deleted are skipped.
local function next_job()
  for _ = 1, AT_MOST do
    local id = call('LPOP', waiting)
    if not id then return nil end
    local element = call('HGET', jobs, id)
    if element then return id, element end
    forget(id)
  end
  return nil
end

-- A reply that is too large for the client would reach no worker, and each of its jobs would lose an attempt. So elements of
-- a megabyte are enough for one call.
local MOST_BYTES = 1000000

local deadline, bytes = now + hold_for, 0
local outcome = {deadline}
for _ = 1, count do
  local id, element = next_job()
  if not id then break end
  local reservation = next_number()
  call('HINCRBY', jobs, id .. ':n', 1)
  call('HSET', jobs, id .. ':held', reservation .. ' ' .. worker)
  call('ZADD', reserved, text_of(deadline), id)
  outcome[#outcome + 1] = id
  outcome[#outcome + 1] = reservation
  outcome[#outcome + 1] = (attempts_of(id))
  outcome[#outcome + 1] = element
  bytes = bytes + #element
  if bytes >= MOST_BYTES then break end
end
return finish(outcome)
