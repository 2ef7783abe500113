
-- Takes back what dead workers held, and ends delays.
--
-- ARGV: also how many jobs of each kind at most, and how many attempts a job has
--
-- Returns how many wait again, are dead, and wait because their delay is over.

local limit, max_attempts = tonumber(ARGV[2]), tonumber(ARGV[3])
local returned, died = take_back(limit, max_attempts)
return finish({returned, died, end_delays(limit)})
