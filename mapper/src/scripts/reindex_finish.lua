-- Ends a run of `reindex`: the indexes can be queried, and no row has an earlier layout any more.
--
-- ARGV: also the token of the run, and the tags of earlier layouts
--
-- The reply is `finished`, or `replaced` if keys were lost since the run has started, and another run builds them.

local lost_or_other = problem_of_keys(true)
if lost_or_other then return lost_or_other end

local token, replaced = ARGV[2], false
for partition = 0, layout.partitions - 1 do
  local building = call('HGET', rows_key(partition), ':building')
  -- Another run that saw the same keys may have ended already.
  if building and building ~= token then replaced = true end
end
if replaced then return 'replaced' end

for partition = 0, layout.partitions - 1 do
  call('HDEL', rows_key(partition), ':building')
  for at = 3, #ARGV do call('HDEL', rows_key(partition), ':' .. ARGV[at]) end
end
return 'finished'
