-- Operations on any records, all or nothing: first every check, then every change.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the keys of the layouts, one for the record of each operation
-- ARGV: how long to keep the outcome in ms, `all`, the layouts, the operations
--
-- A layout is its mark (its tag, a space, its descriptor), the number of its partitions that the operations are in, and
-- their numbers. Its keys are, for each of these partitions, the rows, the expiry marks, and the indexes that are not
-- unique; then the rows of partition 0, unless that is one of them or the only one; then the unique indexes, each with all of
-- its partitions, because values and ids have different ones. A model without indexes has no keys.
--
-- The rows of partition 0 have the mark from the first write on, and their field `:partitions` names the partitions whose
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
  local mark = take()
  local layout = layout_of(string.sub(mark, 10))
  layout.mark, layout.tag, layout.groups, layout.unique_keys = mark, string.sub(mark, 1, 8), {}, {}
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
  local mark = group.rows == layout.first_rows and layout.found_mark or call('HGET', group.rows, ':')
  if mark and mark ~= layout.mark then return refuse(0, 'layout', layout, group.rows, mark) end
  group.is_new = not layout.created[group.number]
  if not group.is_new then
    local missing = not mark and group.rows or own.missing
    return missing and refuse(0, 'lost', layout, group.rows, missing)
  end
  local may_have_mark = group.rows == layout.first_rows
  if own.existing > 0 or mark and not may_have_mark then
    return refuse(0, 'lost', layout, group.rows, layout.first_rows)
  end
end

local function check_layout(layout)
  local first_rows, unique = layout.first_rows, { existing = 0 }
  if not first_rows then return end
  for _, keys in pairs(layout.unique_keys) do count_existing(keys, unique) end
  local found = call('HMGET', first_rows, ':', ':partitions')
  local mark = found[1]
  if mark and mark ~= layout.mark then return refuse(0, 'layout', layout, first_rows, mark) end
  local missing = mark and unique.missing or not mark and unique.existing > 0 and first_rows
  if missing then return refuse(0, 'lost', layout, first_rows, missing) end
  layout.is_new, layout.found_mark = not mark, mark
  layout.created = layout.partitions > 1 and numbers_of(found[2]) or { [0] = mark }
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

-- Returns the entries of a row in the indexes that the model has now: for each index, a set.
local function entries_of_row(layout, row_layout, columns)
  local entries = {}
  for number, index in ipairs(layout.indexes) do
    entries[number] = {}
    for _, row_index in ipairs(row_layout.indexes) do
      if row_index.name == index.name then
        for _, entry in ipairs(entries_of(row_index, columns)) do entries[number][entry] = true end
      end
    end
  end
  return entries
end

-- Reads the row of an id: its columns, if they are those of the model now, and its entries. Returns nil if there is no
-- row, and false if the layout that wrote it is not known.
local function read_row(layout, group, id)
  local text = call('HGET', group.rows, id)
  if not text then return nil end
  local tag, columns = columns_of(text)
  local row_layout = layout_by_tag(layout, group, tag)
  if not row_layout then return false end
  return {
    text = text,
    columns = row_layout == layout and columns or nil,
    entries = entries_of_row(layout, row_layout, columns),
  }
end

-- Removes all that the indexes know of a record.
local function forget(layout, group, id, row)
  if row then
    for number, entries in ipairs(row.entries) do
      for entry in pairs(entries) do call('ZREM', index_key(layout, group, number, entry), entry .. '\0' .. id) end
    end
    call('HDEL', group.rows, id)
  end
  if group.has_marks then call('ZREM', group.expiry, id) end
end

-- Operations: what each of them reads and checks.

local operations, by_key = {}, {}

-- Takes a field: the number of its names, its name, and its earlier ones. Returns the names, and the first text that one of
-- them has, or false.
local function take_field(operation)
  local names = take_list(take_number())
  if not operation.exists then return names, false end
  for _, text in ipairs(call('HMGET', operation.record, unpack(names))) do
    if text then return names, text end
  end
  return names, false
end

-- Checks texts: each is a field, and `=` with its text or "" if there must not be such a field.
local function check_fields(operation, why, count)
  local differs
  for _ = 1, count do
    local names, text = take_field(operation)
    if (text and '=' .. text or '') ~= take() then differs = differs or names[1] end
  end
  return differs and refuse(operation.number, why, operation.layout, operation.record, differs)
end

local function check_version(operation, field, expected)
  if field == '' or expected == '' then return end
  -- A record without the field was written before the model had one.
  local stored = operation.exists and (call('HGET', operation.record, field) or '0')
  if (stored or '0') ~= expected then
    return refuse(operation.number, 'stale', operation.layout, operation.record, stored, expected)
  end
end

local function check_put(operation)
  local mode = take()
  operation.lifetime = take()
  local version_field, version, next_version = take(), take(), take()
  operation.set = take_list(take_number())
  operation.clear = take_list(take_number())
  operation.columns = take_list(#operation.layout.columns)
  operation.version = version_field ~= '' and next_version
  if mode == 'insert' then
    return operation.exists and refuse(operation.number, 'exists', operation.layout, operation.record)
  end
  if mode == 'update' and not operation.exists then
    return refuse(operation.number, 'absent', operation.layout, operation.record)
  end
  return check_version(operation, version_field, version)
end

-- Return the new text of a field, or false for none, and its column; or nil, and why there is no new text.
local CHANGES = {
  set = function(_, _, text, column) return text, column end,
  absent = function(_, old, text, column)
    if old then return old end
    return text, column
  end,
  clear = function() return false, '' end,
  integer = function(_, old, by, min, max)
    local sum = add_integers(old or '0', by)
    if not sum then return nil, 'type' end
    if is_less_integer(sum, min) or is_less_integer(max, sum) then return nil, 'range' end
    return sum, '=' .. encode_integer(sum)
  end,
  float = function(_, old, by)
    local number = float_of(old or '0')
    if not number then return nil, 'type' end
    local sum = number + tonumber(by)
    if sum ~= sum or math.abs(sum) == math.huge then return nil, 'range' end
    return float_text(sum), '=' .. encode_float(sum)
  end,
  append = function(is_indexed, old, text)
    local whole = (old or '') .. text
    if is_indexed and not is_utf8(whole) then return nil, 'bytes' end
    if is_indexed and #whole > LONGEST_TEXT then return nil, 'long' end
    return whole, '=' .. encode_text(whole)
  end,
}

local function set_field(operation, field, text, column)
  operation.set[#operation.set + 1] = field
  operation.set[#operation.set + 1] = text
  local position = operation.positions[field]
  if position then operation.columns[position] = column end
end

local function clear_field(operation, field)
  operation.clear[#operation.clear + 1] = field
  local position = operation.positions[field]
  if position then operation.columns[position] = '' end
end

local function check_change(operation)
  local what = take()
  local names, old = take_field(operation)
  local field = names[1]
  local text, column = CHANGES[what](operation.positions[field] ~= nil, old, take(), take(), take())
  if text == nil then
    return refuse(operation.number, column, operation.layout, operation.record, field)
  end
  if what == 'absent' and old then return end
  if text then set_field(operation, field, text, column) else clear_field(operation, field) end
  for at = 2, #names do operation.clear[#operation.clear + 1] = names[at] end
end

-- The version counts the changes of fields, so it stays as it is if there is none.
local function set_next_version(operation, field, largest)
  local changes_nothing = #operation.set == 0 and #operation.clear == 0
  local stored = call('HGET', operation.record, field) or '0'
  operation.version = add_integers(stored, changes_nothing and '0' or '1')
  if not operation.version then return refuse(operation.number, 'type', operation.layout, operation.record, field) end
  if changes_nothing then return end
  if is_less_integer(largest, operation.version) then
    return refuse(operation.number, 'last', operation.layout, operation.record, field, stored)
  end
  set_field(operation, field, operation.version, '=' .. encode_integer(operation.version))
end

local function check_patch(operation)
  operation.lifetime = take()
  local version_field, version, largest_version = take(), take(), take()
  local refused = not operation.exists
      and refuse(operation.number, 'missing', operation.layout, operation.record)
      or operation.needs_row
      and refuse(operation.number, 'norow', operation.layout, operation.record)
      or check_version(operation, version_field, version)
      or check_fields(operation, 'condition', take_number())
  if refused then return true end
  operation.set, operation.clear, operation.columns, operation.positions = {}, {}, {}, {}
  for position, column in ipairs(operation.row and operation.layout.columns or {}) do
    operation.columns[position] = operation.row.columns[position]
    operation.positions[column.field] = position
  end
  for _ = 1, take_number() do
    if check_change(operation) then return true end
  end
  if version_field ~= '' and set_next_version(operation, version_field, largest_version) then return true end
  operation.returning = {}
  for number = 1, take_number() do
    operation.returning[number] = { field = take(), aliases = take_list(take_number()) }
  end
end

local function check_delete(operation)
  operation.removes = true
  local version_field, version = take(), take()
  -- What is gone already has no version.
  if not operation.exists then version = '' end
  return check_version(operation, version_field, version) or check_fields(operation, 'condition', take_number())
end

local function check_expire(operation)
  operation.lifetime, operation.returns_all, operation.may_be_gone = take(), take() == '1', take() == '1'
  if not operation.exists then
    return not operation.may_be_gone and refuse(operation.number, 'missing', operation.layout, operation.record)
  end
  if operation.needs_row then return refuse(operation.number, 'norow', operation.layout, operation.record) end
  operation.columns = operation.row and operation.row.columns
end

local function check_index(operation)
  operation.lifetime = 'keep'
  if not operation.exists then return refuse(operation.number, 'missing', operation.layout, operation.record) end
  local refused = check_fields(operation, 'changed', take_number())
  operation.columns = take_list(#operation.layout.columns)
  return refused
end

local function check_purge(operation)
  operation.purges = true
  -- The row of a record that exists keeps its claims.
  if operation.exists and operation.row then operation.columns = operation.row.columns end
end

local CHECKS = {
  put = check_put,
  patch = check_patch,
  delete = check_delete,
  expire = check_expire,
  index = check_index,
  purge = check_purge,
}

local function check_operation(number)
  local kind, layout = take(), layouts[take_number()]
  local group, id = layout.groups[take_number()], take()
  local operation = { number = number, layout = layout, group = group, id = id, record = take_key() }
  -- HLEN, not EXISTS: a key of another type is found out here, not after the first change.
  local length = redis.pcall('HLEN', operation.record)
  if type(length) == 'table' then
    if not string.find(length.err, '^WRONGTYPE') then error(length) end
    return refuse(number, 'no hash', layout, operation.record)
  end
  operation.exists = length > 0
  if by_key[operation.record] then return refuse(number, 'twice', layout, operation.record) end
  by_key[operation.record] = operation
  if group then
    group.by_id[id] = operation
    operation.row = read_row(layout, group, id)
    if operation.row == false then return refuse(number, 'row', layout, operation.record) end
    operation.needs_row = not operation.row or not operation.row.columns
  end
  operations[number] = operation
  return CHECKS[kind](operation)
end

-- Unique values: against the state after all operations.

local expired = {}

-- Checks that no record outside of these operations has the entry. An owner that has expired loses it.
local function check_owners(operation, key, number, entry)
  local layout = operation.layout
  for _, member in ipairs(call('ZRANGE', key, '[' .. entry .. '\0', '(' .. entry .. '\1', 'BYLEX', 'LIMIT', 0, 3)) do
    local owner = string.sub(member, #entry + 2)
    local partition = partition_of(owner, layout.partitions)
    local group
    for _, one in ipairs(layout.groups) do
      if one.number == partition then group = one end
    end
    -- The operations decide on the claims of their own records. A purge changes nothing if its record exists, which may have
    -- no row yet while `reindex` runs.
    local own = group and group.by_id[owner]
    if not own or own.purges and own.exists then
      local due = not own and group and group.has_marks and call('ZSCORE', group.expiry, owner)
      if not due or tonumber(due) > now() then
        return refuse(operation.number, 'duplicate', layout, operation.record, layout.indexes[number].name, owner)
      end
      expired[#expired + 1] = { layout = layout, group = group, id = owner }
    end
  end
end

local function check_claims(operation)
  local layout = operation.layout
  for number, index in ipairs(layout.indexes) do
    if index.unique then
      layout.claims = layout.claims or {}
      for _, entry in ipairs(entries_of(index, operation.columns)) do
        local claim = number .. ':' .. entry
        local other = layout.claims[claim]
        if other and other ~= operation.id then
          return refuse(operation.number, 'duplicate', layout, operation.record, index.name, other)
        end
        layout.claims[claim] = operation.id
        if not (operation.row and operation.row.entries[number][entry])
            and check_owners(operation, index_key(layout, operation.group, number, entry), number, entry) then
          return true
        end
      end
    end
  end
end

local function check_all()
  for _ = 1, take_number() do read_layout() end
  for _, layout in ipairs(layouts) do
    if check_layout(layout) then return true end
  end
  for number = 1, take_number() do
    if check_operation(number) then return true end
  end
  for _, operation in ipairs(operations) do
    if operation.group and operation.columns and check_claims(operation) then return true end
  end
end

if check_all() then return finish() end

-- Changes. None of them can fail.

-- Creates the keys of the partitions that are written to for the first time.
local function create_keys(layout)
  for _, group in ipairs(layout.groups) do
    if group.is_new then
      call('HSET', group.rows, ':', layout.mark)
      for _, key in pairs(group.index_keys) do call('ZADD', key, 0, '') end
      if layout.partitions > 1 then
        local created = call('HGET', layout.first_rows, ':partitions')
        local number = string.format('%.0f', group.number)
        call('HSET', layout.first_rows, ':', layout.mark, ':partitions', created and created .. ',' .. number or number)
      end
    end
  end
  if layout.is_new then
    for _, keys in pairs(layout.unique_keys) do
      for _, key in ipairs(keys) do call('ZADD', key, 0, '') end
    end
  end
end

-- Removes what records that have expired have left behind, a few at a time.
--
-- Their keys are not declared, so whether they have expired is known by their marks alone. Every write makes the mark of its
-- record right. Between a PERSIST or an EXPIRE of another program, which moves the end away, and the next write of that
-- record, the mark is that of before. If that becomes due, the sweep removes the row and the entries of a record that lives
-- on: it is in no answer, and its unique values are free, until a write on its own, or `reindex`, adds it again.
local function sweep(layout, group)
  if not group.has_marks then return end
  local due = call('ZRANGE', group.expiry, '-inf', '(' .. string.format('%.0f', now()), 'BYSCORE', 'LIMIT', 0, 20)
  for _, id in ipairs(due) do
    if not group.by_id[id] then forget(layout, group, id, read_row(layout, group, id)) end
  end
end

-- Sets the time to live, and its mark, so that the mark is right even if another program has changed the time to live.
local function set_lifetime(operation)
  local group, lifetime = operation.group, operation.lifetime
  if lifetime == 'persist' then
    operation.had_lifetime = operation.exists and call('PERSIST', operation.record) == 1
  elseif lifetime ~= 'keep' then
    call('PEXPIRE', operation.record, lifetime)
  end
  if not group then return end
  local expires_at = -1
  if lifetime ~= 'persist' and (operation.exists or lifetime ~= 'keep') then
    expires_at = call('PEXPIRETIME', operation.record)
  end
  if expires_at > 0 then
    call('ZADD', group.expiry, string.format('%.0f', expires_at), operation.id)
  elseif group.has_marks then
    call('ZREM', group.expiry, operation.id)
  end
end

local function write_row(operation)
  local layout, group, id, row = operation.layout, operation.group, operation.id, operation.row
  local text = layout.tag .. '\0' .. table.concat(operation.columns, '\0')
  if row and row.text == text then return end
  for number, index in ipairs(layout.indexes) do
    local old = row and row.entries[number] or {}
    local new = {}
    for _, entry in ipairs(entries_of(index, operation.columns)) do new[entry] = true end
    for entry in pairs(old) do
      if not new[entry] then call('ZREM', index_key(layout, group, number, entry), entry .. '\0' .. id) end
    end
    for entry in pairs(new) do
      if not old[entry] then call('ZADD', index_key(layout, group, number, entry), 0, entry .. '\0' .. id) end
    end
  end
  call('HSET', group.rows, id, text)
end

local function say_fields(operation)
  if operation.returns_all then
    for _, text in ipairs(call('HGETALL', operation.record)) do say(text) end
  end
  for _, returned in ipairs(operation.returning or {}) do
    local text = call('HGET', operation.record, returned.field)
    for _, alias in ipairs(returned.aliases) do text = text or call('HGET', operation.record, alias) end
    say(returned.field) say(text)
  end
end

-- Says the outcome: the number of values, whether something was created, removed, given a time to live or had one, the
-- version, and the fields that were asked for.
local function say_outcome(operation, happened)
  local count_at = #reply + 1
  say('')
  say(happened and 1 or 0) say(operation.version)
  say_fields(operation)
  local count = tostring(#reply - count_at)
  reply[count_at] = #count .. ':' .. count
end

local function change(operation)
  local exists = operation.exists
  if operation.removes then
    if exists then call('DEL', operation.record) end
    if operation.group then forget(operation.layout, operation.group, operation.id, operation.row) end
    return say_outcome(operation, exists)
  end
  if operation.purges then
    if not exists then forget(operation.layout, operation.group, operation.id, operation.row) end
    return say_outcome(operation, not exists)
  end
  if operation.may_be_gone and not exists then return say_outcome(operation, false) end
  if operation.set then call_in_chunks('HSET', operation.record, operation.set) end
  if operation.clear then call_in_chunks('HDEL', operation.record, operation.clear) end
  if operation.group and operation.columns then write_row(operation) end
  set_lifetime(operation)
  if operation.set then return say_outcome(operation, not exists) end
  return say_outcome(operation, operation.may_be_gone and operation.lifetime ~= 'persist' or operation.had_lifetime)
end

say('ok')
for _, layout in ipairs(layouts) do create_keys(layout) end
for _, owner in ipairs(expired) do
  forget(owner.layout, owner.group, owner.id, read_row(owner.layout, owner.group, owner.id))
end
for _, layout in ipairs(layouts) do
  for _, group in ipairs(layout.groups) do sweep(layout, group) end
end
for _, operation in ipairs(operations) do change(operation) end
return finish()
