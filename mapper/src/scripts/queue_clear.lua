
-- Removes all jobs. Numbers go on where they were: no later job or reservation has an earlier one's.
--
-- Returns how many jobs there were.

local count = call('LLEN', waiting) + call('ZCARD', delayed) + call('ZCARD', reserved) + call('ZCARD', dead)
local last = call('HGET', jobs, ':')
call('UNLINK', waiting, jobs, delayed, reserved, dead)
if last then call('HSET', jobs, ':', last) end
return finish({count})
