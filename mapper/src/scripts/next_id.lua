-- Returns the id of the first entry of a range, without its fields: they can be larger than a reply may be.
--
-- KEYS: the stream
-- ARGV: XRANGE or XREVRANGE, and its bounds

local entry = redis.call(ARGV[1], KEYS[1], ARGV[2], ARGV[3], 'COUNT', 1)[1]
return entry and entry[1]
