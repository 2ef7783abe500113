-- Removes old entries of a log. It follows retain.lua.
--
-- KEYS: the log
-- ARGV: `=` or `~`, then the number of entries, the smallest id and the greatest age in ms, or "" for those without a limit
--
-- Returns how many entries were removed.

local max_age = optional(ARGV[4])
return retain(KEYS[1], ARGV[1], optional(ARGV[2]), optional(ARGV[3]), max_age and now() - max_age)
