-- What a patch reads and checks. `values.lua` stands before it.

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

-- What these do does not depend on the old text, so that it is not read.
local IGNORES_OLD = { set = true, clear = true }

-- Sets a field, or removes it if there is no text. If the field is in an index, it has the column at `position`, else "".
local function change_field(operation, field, text, position, column)
  local list = text and operation.set or operation.clear
  list[#list + 1] = field
  if text then list[#list + 1] = text end
  if position ~= '' then
    operation.columns = operation.columns or { unpack(operation.row.columns) }
    operation.columns[tonumber(position)] = column
  end
end

-- Takes a change: what it is, the position of the field's column, its names, and three details.
local function check_change(operation)
  local what, position = take(), take()
  local names = take_list(take_number())
  local field, old = names[1], not IGNORES_OLD[what] and text_of(operation, names)
  local text, column = CHANGES[what](position ~= '', old, take(), take(), take())
  if text == nil then
    return refuse(operation.number, column, operation.layout, operation.record, field)
  end
  if what == 'absent' and old then return end
  change_field(operation, field, text, position, column)
  for at = 2, #names do operation.clear[#operation.clear + 1] = names[at] end
end

-- The version counts the changes of fields, so it stays as it is if there is none.
local function set_next_version(operation, field, position, largest)
  local changes_nothing = #operation.set == 0 and #operation.clear == 0
  local stored = call('HGET', operation.record, field) or '0'
  operation.version = add_integers(stored, changes_nothing and '0' or '1')
  if not operation.version then return refuse(operation.number, 'type', operation.layout, operation.record, field) end
  if changes_nothing then return end
  if is_less_integer(largest, operation.version) then
    return refuse(operation.number, 'last', operation.layout, operation.record, field, stored)
  end
  change_field(operation, field, operation.version, position, '=' .. encode_integer(operation.version))
end

local function check_patch(operation)
  operation.lifetime = take()
  local version_field, version, version_position, largest_version = take(), take(), take(), take()
  local refused = not operation.exists
      and refuse(operation.number, 'missing', operation.layout, operation.record)
      or operation.needs_row
      and refuse(operation.number, 'norow', operation.layout, operation.record)
      or check_version(operation, version_field, version)
      or check_fields(operation, 'condition', take_number())
  if refused then return true end
  operation.set, operation.clear = {}, {}
  for _ = 1, take_number() do
    if check_change(operation) then return true end
  end
  if version_field ~= '' and set_next_version(operation, version_field, version_position, largest_version) then return true end
  if operation.row and not operation.columns then keep_columns(operation) end
  operation.returning = {}
  for number = 1, take_number() do
    operation.returning[number] = { field = take(), aliases = take_list(take_number()) }
  end
end

CHECKS.patch = check_patch
