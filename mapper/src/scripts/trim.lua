-- Removes old entries of a log. It follows retain.lua.
--
-- KEYS: the log
-- ARGV: the retention
--
-- Returns how many entries were removed.

return retain(KEYS[1], retention_at(ARGV, 1))
