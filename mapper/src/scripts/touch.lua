-- Loads a record without indexes, and sets its time to live.
--
-- KEYS: the record
-- ARGV: its time to live in ms
--
-- Returns what HGETALL returns.

-- HGETALL first: a key of another type is an error, and keeps its own time to live.
local fields = redis.call('HGETALL', KEYS[1])
if #fields > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return fields
