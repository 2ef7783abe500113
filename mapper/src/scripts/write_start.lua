-- Operations on any records, all or nothing: first every check, then every change.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the keys of the layouts, one for the record of each operation
-- ARGV: how long to keep the outcome in ms, `all`, the layouts, the operations
--
-- A layout is its label (its tag, a space, its descriptor), the number of its partitions that the operations are in, and
-- their numbers. Its keys are, for each of these partitions, the rows, the expiry marks, and the indexes that are not
-- unique; then the rows of partition 0, unless that is one of them or the only one; then the unique indexes, each with all of
-- its partitions, because values and ids have different ones. A model without indexes has no keys.
--
-- The rows of partition 0 have the label from the first write on, and their field `:partitions` names the partitions whose
-- keys have been created: one that is missing altogether is not taken for one without records. If partition 0 itself is
-- missing altogether, and the model has no unique indexes, a write to it looks like the first. Then it does not name the
-- other partitions, so writes to these are refused, and all queries.
--
-- The reply is a list of netstrings: `ok` and the outcome of each operation, or `refused`, the number of the operation,
-- why, the layout's tag, the key of the record, and two details.

local call = redis.call

local next_arg, next_key = 2, 0

local function take()
  next_arg = next_arg + 1
  return args[next_arg]
end

local function take_number() return tonumber(take()) end

local function take_list(count)
  local list = {}
  for at = 1, count do list[at] = take() end
  return list
end

local function take_key()
  next_key = next_key + 1
  return keys[next_key]
end

local reply = {}

local function say(text) reply[#reply + 1] = netstring(text) end

local keep_outcome_for = args[1]
local outcome_key
if keep_outcome_for ~= '0' then
  outcome_key = take_key()
  local outcome = call('GET', outcome_key)
  if outcome then return outcome end
end

local function finish()
  local outcome = table.concat(reply)
  if outcome_key then call('SET', outcome_key, outcome, 'PX', keep_outcome_for) end
  return outcome
end

-- Describes why nothing is changed. Checks return what this returns: true.
local function refuse(number, why, layout, key, first, second)
  reply[1] = refusal(number, why, layout.tag, key, first, second)
  return true
end

-- `unpack` fails at 8,000 values.
local function call_in_chunks(command, key, list)
  for start = 1, #list, 4000 do
    call(command, key, unpack(list, start, math.min(start + 3999, #list)))
  end
end

local time_in_ms

local function now()
  time_in_ms = time_in_ms or server_time()
  return time_in_ms
end

-- Layouts, and the part of each that a partition of its ids has.

local layouts = {}

local function read_layout()
  local label = take()
  local layout = layout_of(string.sub(label, 10))
  layout.label, layout.tag, layout.groups, layout.unique_keys = label, string.sub(label, 1, 8), {}, {}
  local partitions = take_list(take_number())
  for at, partition in ipairs(partitions) do
    local group = { number = tonumber(partition), rows = take_key(), expiry = take_key(), index_keys = {}, by_id = {} }
    for number, index in ipairs(layout.indexes) do
      if not index.unique then group.index_keys[number] = take_key() end
    end
    layout.groups[at] = group
    if group.number == 0 then layout.first_rows = group.rows end
  end
  if #partitions > 0 and not layout.first_rows then layout.first_rows = take_key() end
  for number, index in ipairs(layout.indexes) do
    if index.unique then
      layout.unique_keys[number] = {}
      for partition = 1, layout.partitions do layout.unique_keys[number][partition] = take_key() end
    end
  end
  layouts[#layouts + 1] = layout
end

-- Counts the index keys that exist, and returns the first that does not. Each has the member "", so that a key that was
-- evicted is missed. This reads all keys by a command of their type too: the wrong type is an error before any change.
local function count_existing(keys, counted)
  for _, key in pairs(keys) do
    if call('ZSCORE', key, '') then
      counted.existing = counted.existing + 1
    else
      counted.missing = counted.missing or key
    end
  end
end

local function check_group(layout, group)
  local own = { existing = 0 }
  count_existing(group.index_keys, own)
  group.has_marks = call('ZCARD', group.expiry) > 0
  local label = group.rows == layout.first_rows and layout.found_label or call('HGET', group.rows, ':')
  if label and label ~= layout.label then return refuse(0, 'layout', layout, group.rows, label) end
  group.is_new = not layout.created[group.number]
  if not group.is_new then
    local missing = not label and group.rows or own.missing
    return missing and refuse(0, 'lost', layout, group.rows, missing)
  end
  local may_have_label = group.rows == layout.first_rows
  if own.existing > 0 or label and not may_have_label then
    return refuse(0, 'lost', layout, group.rows, layout.first_rows)
  end
end

local function check_layout(layout)
  local first_rows, unique = layout.first_rows, { existing = 0 }
  if not first_rows then return end
  for _, keys in pairs(layout.unique_keys) do count_existing(keys, unique) end
  local found = call('HMGET', first_rows, ':', ':partitions')
  local label = found[1]
  if label and label ~= layout.label then return refuse(0, 'layout', layout, first_rows, label) end
  local missing = label and unique.missing or not label and unique.existing > 0 and first_rows
  if missing then return refuse(0, 'lost', layout, first_rows, missing) end
  layout.is_new, layout.found_label = not label, label
  layout.created = layout.partitions > 1 and numbers_of(found[2]) or { [0] = label }
  for _, group in ipairs(layout.groups) do
    if check_group(layout, group) then return true end
  end
end

local function index_key(layout, group, number, entry)
  local keys = layout.unique_keys[number]
  if not keys then return group.index_keys[number] end
  return keys[partition_of(entry, layout.partitions) + 1]
end

-- Rows. A row begins with the tag of the layout that it was written by, and an index of an earlier layout that the model
-- still has is one by the same name.

local earlier_layouts = {}

-- Returns the layout with this tag: the model's own, or an earlier one, which `reindex` has kept.
local function layout_by_tag(layout, group, tag)
  if tag == layout.tag then return layout end
  if earlier_layouts[tag] == nil then
    local descriptor = call('HGET', group.rows, ':' .. tag)
    earlier_layouts[tag] = descriptor and layout_of(descriptor) or false
  end
  return earlier_layouts[tag]
end

-- Reads the row of an id. Returns nil if there is none, and false if the layout that wrote it is not known.
local function read_row(layout, group, id)
  local text = call('HGET', group.rows, id)
  if not text then return nil end
  local tag, columns = columns_of(text)
  local row_layout = layout_by_tag(layout, group, tag)
  return row_layout
      and { text = text, columns = columns, layout = row_layout, is_current = row_layout == layout, entries = {} }
end

-- Returns whether a record with these columns has the entries in an index that its row has.
local function has_same_entries(row, index, columns)
  if not row or not row.is_current then return false end
  for _, position in ipairs(index.columns) do
    if row.columns[position] ~= columns[position] then return false end
  end
  return true
end

-- Returns the entries of a row in an index that the model has now: a set. Most writes need none of them, or a few.
local function entries_of_row(row, layout, number)
  if row.entries[number] then return row.entries[number] end
  local entries, index = {}, layout.indexes[number]
  for _, row_index in ipairs(row.is_current and { index } or row.layout.indexes) do
    if row_index.name == index.name then
      for _, entry in ipairs(entries_of(row_index, row.columns)) do entries[entry] = true end
    end
  end
  row.entries[number] = entries
  return entries
end

-- Removes all that the indexes know of a record.
local function forget(layout, group, id, row)
  if row then
    for number = 1, #layout.indexes do
      for entry in pairs(entries_of_row(row, layout, number)) do
        call('ZREM', index_key(layout, group, number, entry), entry .. '\0' .. id)
      end
    end
    call('HDEL', group.rows, id)
  end
  if group.has_marks then call('ZREM', group.expiry, id) end
end
