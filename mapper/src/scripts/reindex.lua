-- What the scripts of `reindex` and `verify` share. They are called with all keys of a model, and after them with others of
-- their own.
--
-- KEYS: for each partition the rows, the expiry marks, and each index in the order of the layout
-- ARGV: the label of the layout: its tag, a space, its descriptor

local call = redis.call

local label = ARGV[1]
local tag = string.sub(label, 1, 8)
local layout = layout_of(string.sub(label, 10))
local keys_of_partition = 2 + #layout.indexes
local model_keys = keys_of_partition * layout.partitions

-- Partitions are counted from 0.
local function rows_key(partition) return KEYS[keys_of_partition * partition + 1] end
local function expiry_key(partition) return KEYS[keys_of_partition * partition + 2] end
local function index_key(number, partition) return KEYS[keys_of_partition * partition + 2 + number] end

local function partition_of_id(id) return partition_of(id, layout.partitions) end

-- Returns the partition of an index that an entry belongs to.
local function partition_of_entry(number, entry, id)
  return partition_of(layout.indexes[number].unique and entry or id, layout.partitions)
end

-- Returns the refusal if the keys have another layout, or, with `are_complete`, if one of them was lost.
local function problem_of_keys(are_complete)
  for partition = 0, layout.partitions - 1 do
    local rows = rows_key(partition)
    local found = call('HGET', rows, ':')
    if found and found ~= label then return refusal(0, 'layout', tag, rows, found) end
    if are_complete and not found then return refusal(0, 'lost', tag, rows, rows) end
    for number = 1, are_complete and #layout.indexes or 0 do
      local key = index_key(number, partition)
      if not call('ZSCORE', key, '') then return refusal(0, 'lost', tag, key, key) end
    end
  end
end

-- Returns the columns of the row of an id, or nil if it has no row, or one of an earlier layout.
local function columns_of_id(id)
  local row = call('HGET', rows_key(partition_of_id(id)), id)
  if not row then return nil end
  local row_tag, columns = columns_of(row)
  if row_tag == tag then return columns end
end

-- Returns whether the row of an id has the entry in an index.
local function has_entry(id, number, entry)
  local columns = columns_of_id(id)
  if not columns then return false end
  for _, own in ipairs(entries_of(layout.indexes[number], columns)) do
    if own == entry then return true end
  end
  return false
end
