-- One query: walks one index in order, tests the other conditions on rows, and returns ids, records or a count.
-- It reads only. Only the records that `records` returns are keys that are not declared. `rows.lua` stands before it.
--
-- KEYS: the rows of each partition, the expiry marks of each partition, then the keys of each index that may be walked,
-- then a key of each other index.
-- ARGV: in the order in which the code below reads them.
-- Reply: {state, detail, index, range, member, found}. `range` is 0 at the end, or else where the next call goes on.

local call = redis.call
local find, sub = string.find, string.sub

-- The most entries of one ZRANGE: each becomes an argument of one HMGET and one ZMSCORE.
local MAX_PAGE = 400
local MIN_PAGE = 20

local arguments_read = 0
local function next_text()
  arguments_read = arguments_read + 1
  return ARGV[arguments_read]
end
local function next_number() return tonumber(next_text()) end

-- Ranges of entries. An entry is its values, each followed by NUL, and then the id. No value contains NUL, and \1 is always
-- followed by \3 or more, so what begins with the value `v` is from `v\0` to below `v\1`. A bound is one letter (included,
-- excluded, prefix, none) and the values. Bounds are completed here, because they need not be UTF-8.
local AFTER_LOWER = { i = '\0', x = '\1', p = '' }
local AFTER_UPPER = { i = '\1', x = '\0', p = '\255' }

local function next_range()
  local lower, upper = next_text(), next_text()
  local lower_kind, upper_kind = sub(lower, 1, 1), sub(upper, 1, 1)
  local range = { from = '', lex_lower = '(', lex_upper = '+' }
  if lower_kind ~= 'n' then
    range.from = sub(lower, 2) .. AFTER_LOWER[lower_kind]
    range.lex_lower = '[' .. range.from
  end
  if upper_kind ~= 'n' then
    range.to = sub(upper, 2) .. AFTER_UPPER[upper_kind]
    range.lex_upper = '(' .. range.to
  end
  if lower_kind == 'i' and lower == upper then range.value = sub(lower, 2) end
  return range
end

-- Whether values, each followed by NUL, are in a range.
local function is_inside(range, values)
  return not less(values, range.from) and (not range.to or less(values, range.to))
end

local function is_inside_any(ranges, values)
  for _, range in ipairs(ranges) do
    if is_inside(range, values) then return true end
  end
  return false
end

-- The values of a column: none, or `=value` several times, with \2 between them.
local function values_of(column)
  if column == '' then return {} end
  local values = split(column, '\2')
  for i, value in ipairs(values) do values[i] = sub(value, 2) end
  return values
end

-- A condition on one column: some values, or ranges of them.
local function next_condition()
  local condition = { column = next_number(), values = {}, ranges = {} }
  for _ = 1, next_number() do
    local range = next_range()
    if range.value then
      condition.values[range.value] = true
    else
      condition.ranges[#condition.ranges + 1] = range
    end
  end
  return condition
end

local function holds(condition, columns)
  for _, value in ipairs(values_of(columns[condition.column])) do
    if condition.values[value] or is_inside_any(condition.ranges, value .. '\0') then return true end
  end
  return false
end

-- What the query is.

local tag = next_text()
local mode = next_text()
local reverse = next_text() == 'reverse'
local limit = next_number()
-- How many entries one call looks at, so that it does not block the server for long.
local budget = next_number()
local partitions = next_number()
-- Whether a record without a row is left out. A caller who loads the records finds out by itself.
local test_rows = next_text() == 'rows'
local first_range, after_member = next_number(), next_text()
local record_prefix = next_text()

local conditions = {}
for i = 1, next_number() do conditions[i] = next_condition() end

local rows_keys, expiry_keys = {}, {}
for partition = 1, partitions do
  rows_keys[partition] = KEYS[partition]
  expiry_keys[partition] = KEYS[partitions + partition]
end
local keys_read = 2 * partitions

-- An index that may be walked.
local function next_index()
  local index = { keys = {}, conditions = {}, ranges = {}, values = {}, spans = {} }
  -- The keys of a unique index are split by value, those of others by id.
  index.is_unique = next_text() == 'unique'
  for i = 1, next_number() do
    keys_read = keys_read + 1
    index.keys[i] = KEYS[keys_read]
  end
  index.value_count = next_number()
  -- The column whose values each have an entry, or 0.
  index.many_column = next_number()
  -- The conditions that its ranges do not cover.
  for i = 1, next_number() do index.conditions[i] = conditions[next_number()] end
  -- In walking order. They do not overlap.
  for i = 1, next_number() do
    local range = next_range()
    index.ranges[i] = range
    -- Many single values are looked up, not searched.
    if range.value then index.values[range.value] = true else index.spans[#index.spans + 1] = range end
  end
  return index
end

local indexes = {}
for i = 1, next_number() do indexes[i] = next_index() end

-- Returns what is wrong with the label of a layout, or nothing.
local function problem_of_label(label, building)
  if building then return 'building', '' end
  if label and sub(label, 1, #tag + 1) ~= tag .. ' ' then return 'layout', label end
end

-- Returns what is wrong with the keys of a partition, counted from 1, or nothing. `is_created` is whether it has keys.
local function problem_of_partition(partition, is_created)
  local rows = rows_keys[partition]
  local labels = call('HMGET', rows, ':', ':building')
  local state, detail = problem_of_label(labels[1], labels[2])
  if state then return state, detail end
  if is_created and not labels[1] then return 'lost', rows end
  if labels[1] and not is_created and partition > 1 then return 'lost', rows_keys[1] end
  for _, index in ipairs(indexes) do
    local key = not index.is_unique and index.keys[partition]
    local exists = key and call('ZSCORE', key, '')
    if key and is_created and not exists then return 'lost', key end
    if exists and not is_created then return 'lost', rows_keys[1] end
  end
end

-- Checks that the keys are of this layout, and that none of them is missing: an index that was evicted would look like one
-- without entries. Writes create the rows and the indexes of a partition together, each index with the member "", and name
-- the partition in the rows of the first. Returns nothing if all is well.
local function problem()
  local found = call('HMGET', rows_keys[1], ':', ':partitions')
  local label = found[1]
  local created = partitions > 1 and numbers_of(found[2]) or { [0] = label }
  for partition = 1, partitions do
    local state, detail = problem_of_partition(partition, created[partition - 1])
    if state then return state, detail end
  end
  for _, index in ipairs(indexes) do
    for _, key in ipairs(index.is_unique and index.keys or {}) do
      local exists = call('ZSCORE', key, '')
      if exists and not label then return 'lost', rows_keys[1] end
      if label and not exists then return 'lost', key end
    end
  end
  if label then return end
  -- Nothing of this query exists, so the model is new, unless another of its indexes exists.
  for number = keys_read + 1, #KEYS do
    if call('EXISTS', KEYS[number]) == 1 then return 'lost', rows_keys[1] end
  end
  return 'empty', ''
end

-- How many entries are in the ranges of an index. One record can have several.
local function count_entries(index)
  local count = 0
  for _, key in ipairs(index.keys) do
    for _, range in ipairs(index.ranges) do
      count = count + call('ZLEXCOUNT', key, range.lex_lower, range.lex_upper)
    end
  end
  return count
end

-- Returns the number of the index with the fewest entries to walk.
local function choose()
  local best, fewest = 1, nil
  if #indexes == 1 then return best end
  for i, index in ipairs(indexes) do
    local count = count_entries(index)
    if not fewest or count < fewest then best, fewest = i, count end
  end
  return best
end

-- Whether some record has expired that no write has removed yet.
local now = server_time()
local some_expired = false
for _, key in ipairs(expiry_keys) do
  if call('ZCOUNT', key, '-inf', string.format('%.0f', now)) > 0 then some_expired = true end
end

-- Walking.

-- The entries of one key in one range.
local function new_source(key, range)
  return { key = key, lower = range.lex_lower, upper = range.lex_upper, entries = {}, at = 1, ended = false }
end

local function start_after(source, member)
  if reverse then source.upper = '(' .. member else source.lower = '(' .. member end
end

local function refill(source, count)
  local entries
  if reverse then
    entries = call('ZRANGE', source.key, source.upper, source.lower, 'BYLEX', 'REV', 'LIMIT', 0, count)
  else
    entries = call('ZRANGE', source.key, source.lower, source.upper, 'BYLEX', 'LIMIT', 0, count)
  end
  source.entries, source.at, source.ended = entries, 1, #entries < count
  if #entries > 0 then start_after(source, entries[#entries]) end
  budget = budget - 1
end

local function head(source) return source.entries[source.at] end

local function comes_before(left, right)
  if reverse then return less(right, left) else return less(left, right) end
end

-- Keeps the sources in the order of their heads. A binary search, because comparing is what costs.
local function insert(sources, source)
  local low, high = 1, #sources + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if comes_before(head(sources[middle]), head(source)) then low = middle + 1 else high = middle end
  end
  table.insert(sources, low, source)
end

-- Whether the walk of a range begins after this member. A cursor whose member is before the range would widen it.
local function is_before(member, range)
  if reverse then return range.to ~= nil and not less(member, range.to) end
  return less(member, range.from)
end

-- Returns a function that returns the next entries of a range, of all partitions in one order.
local function walk(keys, range, member)
  if #keys == 1 then
    local source = new_source(keys[1], range)
    if member then start_after(source, member) end
    return function(count)
      if source.ended then return {} end
      refill(source, count)
      return source.entries
    end
  end
  local sources = {}
  for _, key in ipairs(keys) do
    local source = new_source(key, range)
    if member then start_after(source, member) end
    refill(source, MIN_PAGE)
    if head(source) then insert(sources, source) end
  end
  return function(count)
    local page = {}
    while #page < count and #sources > 0 do
      local source = table.remove(sources, 1)
      page[#page + 1] = head(source)
      source.at = source.at + 1
      if not head(source) and not source.ended then refill(source, MIN_PAGE) end
      if head(source) then insert(sources, source) end
    end
    return page
  end
end

-- Testing.

-- Asks the keys of all partitions about ids, and returns what they answer, in the order of the ids.
local function ask(command, keys, ids)
  if partitions == 1 then return call(command, keys[1], unpack(ids)) end
  local positions, asked, answers = {}, {}, {}
  for partition = 1, partitions do positions[partition], asked[partition] = {}, {} end
  for i, id in ipairs(ids) do
    local partition = partition_of(id, partitions) + 1
    table.insert(positions[partition], i)
    table.insert(asked[partition], id)
  end
  for partition = 1, partitions do
    if #asked[partition] > 0 then
      local replies = call(command, keys[partition], unpack(asked[partition]))
      for j, position in ipairs(positions[partition]) do answers[position] = replies[j] end
    end
  end
  return answers
end

-- Whether an entry is the first of its record's entries in the walk. A record with several values is walked by several times.
local function is_first(index, entry_value, columns)
  local first
  for _, value in ipairs(values_of(columns[index.many_column])) do
    local is_walked = index.values[value] or is_inside_any(index.spans, value .. '\0')
    if is_walked and (not first or comes_before(value, first)) then first = value end
  end
  return first == entry_value
end

local function matches(index, values, row)
  local row_tag, columns = columns_of(row)
  -- Written by another layout: `reindex` is what finds the record.
  if row_tag ~= tag then return false end
  if index.many_column > 0 and not is_first(index, values, columns) then return false end
  for _, condition in ipairs(index.conditions) do
    if not holds(condition, columns) then return false end
  end
  return true
end

-- Reads the entries of a page: their members, values and ids, without what other programs have added.
local function parse_page(index, page)
  local members, values, ids = {}, {}, {}
  for _, member in ipairs(page) do
    local value, id = parts_of(member, index.value_count)
    -- No id is empty or contains a separator, and a position is a text.
    if value and id ~= '' and not find(id, ':', 1, true) and is_utf8(member) then
      local at = #ids + 1
      members[at], values[at], ids[at] = member, value, id
    end
  end
  return members, values, ids
end

-- Calls `take` with the id of each record that matches, until it returns true. Returns where to go on.
local function search(index, take)
  local needs_rows = test_rows or #index.conditions > 0 or index.many_column > 0
  local start = math.max(first_range, 1)
  -- One more than the limit, which shows whether the limit is the end.
  local count = math.max(MIN_PAGE, math.min(limit + 1, MAX_PAGE))
  for number = start, #index.ranges do
    local member = number == first_range and after_member ~= '' and after_member or nil
    if member and is_before(member, index.ranges[number]) then member = nil end
    local next_page = walk(index.keys, index.ranges[number], member)
    while true do
      local page = next_page(count)
      if #page == 0 then break end
      local members, values, ids = parse_page(index, page)
      local marks = some_expired and #ids > 0 and ask('ZMSCORE', expiry_keys, ids)
      local rows = needs_rows and #ids > 0 and ask('HMGET', rows_keys, ids)
      for i, id in ipairs(ids) do
        local is_there = not (marks and marks[i] and tonumber(marks[i]) <= now)
        if is_there and needs_rows then is_there = rows[i] and matches(index, values[i], rows[i]) end
        if is_there and take(id) then
          local is_end = number == #index.ranges and i == #ids and #next_page(1) == 0
          if is_end then return 0, '' end
          return number, members[i]
        end
      end
      budget = budget - #page
      if budget <= 0 and #members > 0 then return number, members[#members] end
      count = math.min(2 * count, MAX_PAGE)
    end
    if budget <= 0 and number < #index.ranges then return number + 1, '' end
  end
  return 0, ''
end

-- The answer.

local state, detail = problem()
if state then return { state, detail, 0, 0, '', {} } end

if mode == 'explain' then
  local counts = {}
  for i, index in ipairs(indexes) do counts[i] = count_entries(index) end
  return { 'found', '', choose(), 0, '', counts }
end

local chosen = choose()
local index = indexes[chosen]

if mode == 'count' then
  -- Every entry in the ranges is a record of its own that matches: they need not be walked.
  local each_is_one = #index.conditions == 0 and index.many_column == 0 and not some_expired
  if each_is_one and first_range == 0 then return { 'found', '', chosen, 0, '', { count_entries(index) } } end
  local count = 0
  local range, member = search(index, function() count = count + 1 end)
  return { 'found', '', chosen, range, member, { count } }
end

local found = {}
local range, member = search(index, function(id)
  if mode == 'records' then
    local record = call('HGETALL', record_prefix .. id)
    -- Deleted behind the back of its row.
    if #record == 0 then return false end
    found[#found + 1] = { id, record }
  else
    found[#found + 1] = id
  end
  return #found >= limit
end)
return { 'found', '', chosen, range, member, found }
