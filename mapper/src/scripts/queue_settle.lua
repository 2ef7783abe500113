
-- A server that is full refuses a write that may grow only if it is the first write of a script. So a removal of
-- nothing lets through what is to be written even then: a new deadline, which takes no memory, and texts that expire.
local function allow_growth()
  call('ZREM', reserved, '')
end

-- Ends or extends a reservation, if it still counts. `action` is
--   `ack`,
--   `extend`, for `time` in ms from now,
--   `nack`: `time` is the delay in ms, and `max_attempts` how many attempts a job has (0 if it dies now), or
--   `release`: it is the next job again, and the attempt does not count.
--
-- Returns what became of the job: `done`, `reserved` and the deadline in ms, `waiting`, `delayed` or `dead`; or why
-- nothing was changed: `taken` if another reservation holds the job, `free` if none does, and `gone` if there is no
-- such job.
local function settle(id, reservation, action, time, max_attempts, why)
  local holder = holder_of(id)
  if holder ~= reservation then
    if holder then return {'taken'} end
    return {call('HEXISTS', jobs, id) == 1 and 'free' or 'gone'}
  end

  if action == 'ack' then
    call('ZREM', reserved, id)
    forget(id)
    return {'done'}
  end

  if action == 'extend' then
    local deadline = now + tonumber(time)
    allow_growth()
    call('ZADD', reserved, text_of(deadline), id)
    return {'reserved', deadline}
  end

  if action == 'release' then
    call('ZREM', reserved, id)
    call('HDEL', jobs, id .. ':held')
    call('HINCRBY', jobs, id .. ':n', -1)
    call('LPUSH', waiting, id)
    return {'waiting'}
  end

  end_attempt(id, why)
  if is_used_up(id, tonumber(max_attempts)) then return {'dead'} end
  if tonumber(time) > 0 then
    call('ZADD', delayed, text_of(now + tonumber(time)), id)
    return {'delayed'}
  end
  call('RPUSH', waiting, id)
  return {'waiting'}
end
