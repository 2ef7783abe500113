
-- A call does a bounded amount of work beside its own.
local AT_MOST = 100

-- A reply that is too large for the client would reach no worker, and each of its jobs would lose an attempt. So
-- elements of 64 KB are enough for one call, and an element that does not fit beside others comes alone.
local MOST_BYTES = 65536

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

-- Reserves up to `count` jobs. What dead workers held is taken back first, and delays end.
--
-- Returns the deadline in ms, and for each job its id, the number of its reservation, its attempt and its element. Also
-- returns whether another job waits that did not fit beside these.
local function reserve(count, hold_for, max_attempts, worker)
  take_back(math.max(count, AT_MOST), max_attempts)
  end_delays(math.max(count, AT_MOST))
  local deadline, bytes = now + hold_for, 0
  local outcome = {deadline}
  for taken = 1, count do
    local id, element = next_job()
    if not id then break end
    bytes = bytes + #element
    if taken > 1 and bytes > MOST_BYTES then
      call('LPUSH', waiting, id)
      return outcome, true
    end
    local reservation = next_number()
    call('HINCRBY', jobs, id .. ':n', 1)
    call('HSET', jobs, id .. ':held', reservation .. ' ' .. worker)
    call('ZADD', reserved, text_of(deadline), id)
    outcome[#outcome + 1] = id
    outcome[#outcome + 1] = reservation
    outcome[#outcome + 1] = (attempts_of(id))
    outcome[#outcome + 1] = element
  end
  return outcome, false
end
