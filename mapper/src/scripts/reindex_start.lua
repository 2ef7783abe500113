-- Starts a run of `reindex`: the keys get the layout of the program, and programs with another layout are refused from now
-- on. A row keeps the tag of the layout that wrote it, whose descriptor is kept.
--
-- KEYS: also the keys to clear, and the indexes that the layout does not have any more
-- ARGV: also a token for the run, the labels that were found in the rows of each partition, the number of layouts with other
--       partitions, for each of them the label in its first rows, the number of its rows, and the number of its other keys
--
-- The reply is the token of the run, or `changed` if other labels were found. A token is that of an earlier run that has not
-- ended, if nothing was missing: both runs then see the same keys.

local token = ARGV[2]

local next_arg, next_key = 2, model_keys

local function take()
  next_arg = next_arg + 1
  return ARGV[next_arg]
end

local function take_keys(count)
  local keys = {}
  for at = 1, count do keys[at] = KEYS[next_key + at] end
  next_key = next_key + count
  return keys
end

-- Checks. They read every key by a command of its type, so that a key of another type is an error before any change.

local is_intact = #layout.indexes > 0
local building
local found_labels = {}

for partition = 0, layout.partitions - 1 do
  if #layout.indexes == 0 then break end
  local found = call('HMGET', rows_key(partition), ':', ':building')
  found_labels[partition] = take()
  if (found[1] or '') ~= found_labels[partition] then return 'changed' end
  if partition == 0 then building = found[2] end
  if found[1] ~= label or found[2] ~= building then is_intact = false end
  call('ZCARD', expiry_key(partition))
  for number = 1, #layout.indexes do
    if not call('ZSCORE', index_key(number, partition), '') then is_intact = false end
  end
end

local cleared = {}
for at = 1, tonumber(take()) do
  local found = take()
  cleared[at] = { rows = take_keys(tonumber(take())), others = take_keys(tonumber(take())) }
  if (call('HGET', cleared[at].rows[1], ':') or '') ~= found then return 'changed' end
  is_intact = false
end

-- Changes.

-- The rows of a program with other partitions keep nothing but the label, which refuses that program.
for _, other in ipairs(cleared) do
  for _, key in ipairs(other.others) do call('UNLINK', key) end
  for _, key in ipairs(other.rows) do
    call('UNLINK', key)
    call('HSET', key, ':', label)
  end
end

while next_key < #KEYS do
  next_key = next_key + 1
  call('UNLINK', KEYS[next_key])
end

if is_intact and building then token = building end

if #layout.indexes > 0 then
  for partition = 0, layout.partitions - 1 do
    local rows, found = rows_key(partition), found_labels[partition]
    if found ~= '' and found ~= label then
      call('HSET', rows, ':' .. string.sub(found, 1, 8), string.sub(found, 10))
    end
    call('HSET', rows, ':', label, ':building', token)
    for number = 1, #layout.indexes do call('ZADD', index_key(number, partition), 0, '') end
  end
  if layout.partitions > 1 then
    local created = {}
    for partition = 1, layout.partitions do created[partition] = string.format('%.0f', partition - 1) end
    call('HSET', rows_key(0), ':partitions', table.concat(created, ','))
  end
end
return token
