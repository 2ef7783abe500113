-- Returns records and their rows, as they are at one moment.
--
-- KEYS: also the key of each record
-- ARGV: also the ids
--
-- The reply: for each id the fields and their texts, which are none if there is no record, and the row.

local other = problem_of_keys(false)
if other then return other end

local found = {}
for position = 1, #KEYS - model_keys do
  local id = ARGV[1 + position]
  -- What another program keeps at the key is no record.
  local fields = redis.pcall('HGETALL', KEYS[model_keys + position])
  found[position] = { fields.err and {} or fields, call('HGET', rows_key(partition_of_id(id)), id) }
end
return found
