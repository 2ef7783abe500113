
-- Ends or extends a reservation, if it still counts.
--
-- ARGV: also the id of the job, the number of its reservation, and
--   `ack`, or
--   `extend` and for how long from now in ms, or
--   `nack`, the delay in ms, how many attempts a job has (0 if it dies now), and the error
--
-- Returns what became of the job: `done`, `reserved` and the deadline in ms, `waiting`, `delayed` or `dead`; or why nothing
-- was changed: `taken` if another reservation holds the job, `free` if none does, and `gone` if there is no such job.

local id, reservation, action = ARGV[2], ARGV[3], ARGV[4]

local holder = holder_of(id)
if holder ~= reservation then
  if holder then return finish({'taken'}) end
  return finish({call('HEXISTS', jobs, id) == 1 and 'free' or 'gone'})
end

if action == 'ack' then
  call('ZREM', reserved, id)
  forget(id)
  return finish({'done'})
end

if action == 'extend' then
  local deadline = now + tonumber(ARGV[5])
  call('ZADD', reserved, text_of(deadline), id)
  return finish({'reserved', deadline})
end

local delay, max_attempts, why = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
end_attempt(id, why)
if is_used_up(id, max_attempts) then return finish({'dead'}) end
if delay > 0 then
  call('ZADD', delayed, text_of(now + delay), id)
  return finish({'delayed'})
end
call('RPUSH', waiting, id)
return finish({'waiting'})
