-- One full write of one record in a straight line, because programs make more of these than of all other writes. The
-- rules are those of write.lua; a model with partitions uses that.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the record; if the model has indexes, also the rows, the expiry
--       marks, and each index
-- ARGV: how long to keep the outcome in ms, the mode, the lifetime, the version's field, the version, the next version,
--       the number of texts in fields, fields and their texts, the number of fields to remove, these fields; if the model
--       has indexes, also the mark, the id, the row, and for each index its columns (`2+3!`) and its entries (`=a\2=b`)
--
-- The reply is that of write.lua.

local call, args, keys = redis.call, ARGV, KEYS

local first_key, outcome_key = 1, nil
if args[1] ~= '0' then
  first_key, outcome_key = 2, keys[1]
  local outcome = call('GET', outcome_key)
  if outcome then return outcome end
end

local record, rows, expiry = keys[first_key], keys[first_key + 1], keys[first_key + 2]
local first_index, index_count = first_key + 3, #keys - first_key - 2
local mode, lifetime, version_field, version, next_version = args[2], args[3], args[4], args[5], args[6]
local last_field = 7 + args[7]
local last_removed = last_field + 1 + args[last_field + 1]
local mark, id, row = args[last_removed + 1], args[last_removed + 2], args[last_removed + 3]
-- The columns of index `number` are at `index_args + 2 * number`, and its entries follow them.
local index_args = last_removed + 2

local function finish(outcome)
  if outcome_key then call('SET', outcome_key, outcome, 'PX', args[1]) end
  return outcome
end

local function netstring(text)
  return text and #text .. ':' .. text or '-:'
end

local function refuse(why, first, second)
  local tag = mark and string.sub(mark, 1, 8) or ''
  return finish('7:refused1:1' .. netstring(why) .. netstring(tag) .. netstring(record) .. netstring(first)
    .. netstring(second))
end

-- Checks of the record. HLEN, not EXISTS: a key of another type is an error here, not after the first change.

local exists = call('HLEN', record) > 0
if exists then
  if mode == 'insert' then return refuse('exists') end
elseif mode == 'update' then
  return refuse('absent')
end
if version_field ~= '' and mode ~= 'insert' then
  local stored = exists and (call('HGET', record, version_field) or '0')
  if (stored or '0') ~= version then return refuse('stale', stored, version) end
end

local old_row, old_texts, is_new, first_mark, time_in_ms

-- Returns the entries of an index as one text, from the columns of a row: `=a\2=b`.
local function entries_text(positions, columns)
  local position = tonumber(positions)
  if position then return columns[position] end
  local numbers = split(positions, '+')
  for at = 1, #numbers do numbers[at] = tonumber(numbers[at]) end
  local entry = entries_of({ columns = numbers }, columns)[1]
  return entry and '=' .. entry or ''
end

-- Returns the entries of a row in each index as one text, or nil if the layout that wrote the row is not known.
local function texts_of(text)
  local tag, columns = columns_of(text)
  local texts = {}
  if tag == string.sub(mark, 1, 8) then
    for number = 1, index_count do
      texts[number] = entries_text(string.match(args[index_args + 2 * number], '^[%d+]+'), columns)
    end
    return texts
  end
  local descriptor = call('HGET', rows, ':' .. tag)
  if not descriptor then return nil end
  local by_name = {}
  for _, index in ipairs(layout_of(descriptor).indexes) do
    by_name[index.name] = entries_text(table.concat(index.columns, '+'), columns)
  end
  for number, index in ipairs(layout_of(string.sub(mark, 10)).indexes) do
    texts[number] = by_name[index.name] or ''
  end
  return texts
end

local function entry_list(text)
  if text == '' then return {} end
  local entries = split(text, '\2')
  for at = 1, #entries do entries[at] = string.sub(entries[at], 2) end
  return entries
end

-- Removes all that the indexes know of another record.
local function forget(other)
  local text = call('HGET', rows, other)
  local texts = text and texts_of(text)
  if texts then
    for number = 1, index_count do
      for _, entry in ipairs(entry_list(texts[number])) do
        call('ZREM', keys[first_index - 1 + number], entry .. '\0' .. other)
      end
    end
    call('HDEL', rows, other)
  end
  call('ZREM', expiry, other)
end

local function now()
  if not time_in_ms then
    local time = call('TIME')
    time_in_ms = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return time_in_ms
end

-- Returns another record that has the entry, unless that record has expired, which is then added to the list.
local function owner_of(index_key, entry, expired)
  for _, member in ipairs(call('ZRANGE', index_key, '[' .. entry .. '\0', '(' .. entry .. '\1', 'BYLEX', 'LIMIT', 0, 3)) do
    local owner = string.sub(member, #entry + 2)
    if owner ~= id then
      local due = first_mark and call('ZSCORE', expiry, owner)
      if not due or tonumber(due) > now() then return owner end
      expired[#expired + 1] = owner
    end
  end
end

-- Checks of the indexes, then the changes to them.

if mark then
  local existing, missing = 0, nil
  for number = 1, index_count do
    local index_key = keys[first_index - 1 + number]
    if call('ZSCORE', index_key, '') then existing = existing + 1 else missing = missing or index_key end
  end
  local found = call('HMGET', rows, ':', id)
  old_row = found[2]
  if found[1] ~= mark then
    if found[1] then return refuse('layout', found[1]) end
    if existing > 0 then return refuse('lost', rows) end
    is_new = true
  elseif missing then
    return refuse('lost', missing)
  end
  first_mark = call('ZRANGE', expiry, 0, 0, 'WITHSCORES')[2]

  if old_row ~= row then
    local expired = {}
    old_texts = old_row and texts_of(old_row)
    if old_row and not old_texts then return refuse('row') end
    if not is_new then
      for number = 1, index_count do
        local text = args[index_args + 1 + 2 * number]
        if text ~= '' and string.byte(args[index_args + 2 * number], -1) == 33
            and not (old_texts and old_texts[number] == text) then
          for _, entry in ipairs(entry_list(text)) do
            local owner = owner_of(keys[first_index - 1 + number], entry, expired)
            if owner then
              return refuse('duplicate', layout_of(string.sub(mark, 10)).indexes[number].name, owner)
            end
          end
        end
      end
      for _, owner in ipairs(expired) do forget(owner) end
    end
    if is_new then call('HSET', rows, ':', mark) end
    for number = 1, index_count do
      local index_key, text = keys[first_index - 1 + number], args[index_args + 1 + 2 * number]
      local old_text = old_texts and old_texts[number] or ''
      if is_new then call('ZADD', index_key, 0, '') end
      if text ~= old_text then
        if string.find(text, '\2', 1, true) or string.find(old_text, '\2', 1, true) then
          local new = {}
          for _, entry in ipairs(entry_list(text)) do new[entry] = true end
          for _, entry in ipairs(entry_list(old_text)) do
            if not new[entry] then call('ZREM', index_key, entry .. '\0' .. id) end
          end
          for entry in pairs(new) do call('ZADD', index_key, 0, entry .. '\0' .. id) end
        else
          if old_text ~= '' then call('ZREM', index_key, string.sub(old_text, 2) .. '\0' .. id) end
          if text ~= '' then call('ZADD', index_key, 0, string.sub(text, 2) .. '\0' .. id) end
        end
      end
    end
    call('HSET', rows, id, row)
  end

  -- What records that have expired have left behind is removed a few at a time.
  if first_mark and tonumber(first_mark) < now() then
    local due = call('ZRANGE', expiry, '-inf', '(' .. string.format('%.0f', now()), 'BYSCORE', 'LIMIT', 0, 20)
    for _, other in ipairs(due) do
      if other ~= id then forget(other) end
    end
  end
end

-- Changes of the record.

call('HSET', record, unpack(args, 8, last_field))
if last_removed > last_field + 1 then call('HDEL', record, unpack(args, last_field + 2, last_removed)) end

if lifetime == 'persist' then
  if exists then call('PERSIST', record) end
elseif lifetime ~= 'keep' then
  call('PEXPIRE', record, lifetime)
end

-- The mark follows the time to live, even if another program has changed that.
if mark then
  local expires_at = -1
  if lifetime ~= 'persist' and (exists or lifetime ~= 'keep') then expires_at = call('PEXPIRETIME', record) end
  if expires_at > 0 then
    call('ZADD', expiry, string.format('%.0f', expires_at), id)
  elseif first_mark then
    call('ZREM', expiry, id)
  end
end

local outcome = '2:ok1:2' .. (exists and '1:0' or '1:1') .. netstring(version_field ~= '' and next_version)
return finish(outcome)
