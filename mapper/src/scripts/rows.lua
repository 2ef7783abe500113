-- What rows, layouts and entries are made of. Other scripts begin with this file.

-- Compares bytes. Lua's own `<` compares by the locale of the server.
local function less(left, right)
  if left == right then return false end
  for at = 1, math.min(#left, #right) do
    local one, other = string.byte(left, at), string.byte(right, at)
    if one ~= other then return one < other end
  end
  return #left < #right
end

-- The server's time in ms. On Redis 7.0 it runs ahead of the one by which keys expire in a script, so it only says which
-- marks are due, never whether a record exists.
local function server_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The characters of UTF-8 that are not ASCII. A byte of one is not also the first byte of another.
local LONG_CHARACTERS = {
  '[\194-\223][\128-\191]',
  '\224[\160-\191][\128-\191]', '[\225-\236\238\239][\128-\191][\128-\191]', '\237[\128-\159][\128-\191]',
  '\240[\144-\191][\128-\191][\128-\191]', '[\241-\243][\128-\191][\128-\191][\128-\191]',
  '\244[\128-\143][\128-\191][\128-\191]',
}

-- Whether bytes are UTF-8. Other programs can write what is not.
local function is_utf8(text)
  if not string.find(text, '[\128-\255]') then return true end
  for _, character in ipairs(LONG_CHARACTERS) do text = string.gsub(text, character, ' ') end
  return not string.find(text, '[\128-\255]')
end

local function hex(text)
  return (string.gsub(text, '.', function(byte) return string.format('%02x', string.byte(byte)) end))
end

-- A text after its length, as the library reads it. `-` is the length of none. Bytes that are not UTF-8 are written as
-- digits, after an `x`: a reply in JSON replaces such bytes, and the lengths would not fit any more.
local function netstring(text)
  if text == nil or text == false then return '-:' end
  text = tostring(text)
  if is_utf8(text) then return #text .. ':' .. text end
  return 'x' .. 2 * #text .. ':' .. hex(text)
end

-- Describes why nothing is done: the number of the operation, or 0 if it is none, why, the tag of the layout, a key, and two
-- details.
local function refusal(number, why, tag, key, first, second)
  return '7:refused' .. netstring(number) .. netstring(why) .. netstring(tag) .. netstring(key) .. netstring(first)
      .. netstring(second)
end

-- Returns the parts of a text between separators of one byte.
local function split(text, separator)
  local parts, count, start = {}, 0, 1
  while true do
    local at = string.find(text, separator, start, true)
    count = count + 1
    if not at then
      parts[count] = string.sub(text, start)
      return parts
    end
    parts[count] = string.sub(text, start, at - 1)
    start = at + 1
  end
end

-- Returns the partition, counted from 0, that a text belongs to.
local function partition_of(text, partitions)
  if partitions == 1 then return 0 end
  local hash = 0
  for at = 1, #text do hash = (hash * 31 + string.byte(text, at)) % 2147483647 end
  return hash % partitions
end

-- Returns the set of the numbers in a list such as `0,3,7`. It may be missing.
local function numbers_of(list)
  local numbers = {}
  for number in string.gmatch(list or '', '%d+') do numbers[tonumber(number)] = true end
  return numbers
end

-- Reads a descriptor: `User;age i,email t;email=2!;email+age=2+1;/16`. The names of its columns are left to `fields_of`.
local function layout_of(descriptor)
  local partitions = tonumber(string.match(descriptor, ';/(%d+)$')) or 1
  local layout = { descriptor = descriptor, indexes = {}, partitions = partitions }
  for name, positions, unique in string.gmatch(descriptor, ';([^;=]+)=([%d+]+)(!?)') do
    -- Most indexes have one column.
    local columns = { tonumber(positions) }
    if not columns[1] then
      for position in string.gmatch(positions, '%d+') do columns[#columns + 1] = tonumber(position) end
    end
    layout.indexes[#layout.indexes + 1] = { name = name, unique = unique == '!', columns = columns }
  end
  return layout
end

-- Returns the fields that the columns of a layout are of.
local function fields_of(layout)
  if not layout.fields then
    layout.fields = {}
    local columns = string.match(layout.descriptor, ';([^;]*)') or ''
    for field in string.gmatch(columns, '([^,]*) %a') do layout.fields[#layout.fields + 1] = field end
  end
  return layout.fields
end

-- Returns the entries that a record with these columns has in an index, without the id: none if a column is empty.
local function entries_of(index, columns)
  if #index.columns == 1 then
    local column = columns[index.columns[1]]
    if column == '' then return {} end
    if not string.find(column, '\2', 1, true) then return { string.sub(column, 2) } end
    local entries = split(column, '\2')
    for at = 1, #entries do entries[at] = string.sub(entries[at], 2) end
    return entries
  end
  local values = {}
  for at, position in ipairs(index.columns) do
    local column = columns[position]
    if column == '' then return {} end
    values[at] = string.sub(column, 2)
  end
  return { table.concat(values, '\0') }
end

-- Returns the tag and the columns of a row.
local function columns_of(row)
  local tag_end = string.find(row, '\0', 1, true) or #row + 1
  return string.sub(row, 1, tag_end - 1), split(string.sub(row, tag_end + 1), '\0')
end


-- Returns the values of a member, with NUL between them, and its id. The id is raw: it can contain NUL too. Returns nil if
-- another program has added the member, which has fewer values than the index.
local function parts_of(member, value_count)
  local last = 0
  for _ = 1, value_count do
    last = string.find(member, '\0', last + 1, true)
    if not last then return nil end
  end
  return string.sub(member, 1, last - 1), string.sub(member, last + 1)
end

