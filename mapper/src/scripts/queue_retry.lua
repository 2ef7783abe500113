
-- Lets dead jobs wait again with new attempts, or removes them.
--
-- ARGV: also `retry` or `discard`, and `all` and how many at most, or `one` and an id
--
-- Returns how many there were.

local action = ARGV[2]
local ids
if ARGV[3] == 'all' then
  ids = call('ZRANGE', dead, '-inf', '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[4])
else
  ids = {ARGV[4]}
end

local count = 0
for _, id in ipairs(ids) do
  if call('ZREM', dead, id) == 1 then
    count = count + 1
    if action == 'discard' then
      forget(id)
    else
      local _, all = attempts_of(id)
      call('HSET', jobs, id .. ':from', text_of(all))
      call('RPUSH', waiting, id)
    end
  end
end
return finish({count})
