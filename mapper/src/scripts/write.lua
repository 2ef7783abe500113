-- Operations: what each of them reads and checks.

local operations, by_key = {}, {}
local operation_count

-- Says that a record keeps its columns. That they are unique values is known, and only other operations have to know too.
local function keep_columns(operation)
  if operation_count > 1 then operation.columns = operation.row.columns end
end

-- Returns the first text that a field has under one of its names, or false.
local function text_of(operation, names)
  if not operation.exists then return false end
  for _, text in ipairs(call('HMGET', operation.record, unpack(names))) do
    if text then return text end
  end
  return false
end

-- Checks texts: each is a field, by the number of its names, its name and its earlier ones, and `=` with its text or "" if there must not be such a field.
local function check_fields(operation, why, count)
  local differs
  for _ = 1, count do
    local names = take_list(take_number())
    local text = text_of(operation, names)
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
  operation.columns = take_list(#fields_of(operation.layout))
  operation.version = version_field ~= '' and next_version
  if mode == 'insert' then
    return operation.exists and refuse(operation.number, 'exists', operation.layout, operation.record)
  end
  if mode == 'update' and not operation.exists then
    return refuse(operation.number, 'absent', operation.layout, operation.record)
  end
  return check_version(operation, version_field, version)
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
  if operation.row then keep_columns(operation) end
end

local function check_index(operation)
  operation.lifetime = 'keep'
  if not operation.exists then return refuse(operation.number, 'missing', operation.layout, operation.record) end
  local refused = check_fields(operation, 'changed', take_number())
  operation.columns = take_list(#fields_of(operation.layout))
  return refused
end

local function check_purge(operation)
  operation.purges = true
  -- The row of a record that exists keeps its claims.
  if operation.exists and operation.row and operation.row.is_current then keep_columns(operation) end
end

local CHECKS = {
  put = check_put,
  delete = check_delete,
  expire = check_expire,
  index = check_index,
  purge = check_purge,
}

local function check_operation(number)
  local kind, layout = take(), layouts[take_number()]
  local group, id = layout.groups[take_number()], take()
  local operation = { number = number, layout = layout, group = group, id = id, record = take_key() }
  operations[number] = operation
  if kind == 'append' then return CHECKS.append(operation) end
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
    operation.needs_row = not operation.row or not operation.row.is_current
  end
  return CHECKS[kind](operation)
end
