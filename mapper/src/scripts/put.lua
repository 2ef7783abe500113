-- The usual full write of one record in a straight line, because programs make more of these than of all other writes.
-- Whatever is unusual is left to the files that follow: refusals, the first write to an index, fields of several values,
-- rows of an earlier layout, and what records that have expired have left behind. Nothing has been changed by then.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the record; if the model has indexes, also the rows, the expiry
--       marks, the unique indexes, and the other ones
-- ARGV: how long to keep the outcome in ms, the mode, the lifetime, the version's field (if it is not "", also the version
--       and the next one), the label, the id, the row, the number of unique indexes, the columns of each index (`1,2+3`),
--       its member for the record or "", the number of texts in fields, fields and their texts, fields to remove
--
-- Operations of another kind begin with `all` instead of the mode.

-- Returns the members that a record has in the indexes by its row: one for each index, or "". Returns nil if that row has
-- another layout, or a field without text or of several values.
local function members_of(old_row, id, row, positions_of_indexes)
  local sub, find = string.sub, string.find
  if sub(old_row, 1, 9) ~= sub(row, 1, 9) or find(old_row, '\2', 1, true) then return end
  -- An empty text and no text would look the same below.
  if find(old_row, '=%z') or sub(old_row, -1) == '=' then return end
  local columns, members = {}, {}
  for column in string.gmatch(old_row, '%z=?([^%z]*)') do columns[#columns + 1] = column end
  for positions in string.gmatch(positions_of_indexes, '[^,]+') do
    local values = {}
    for position in string.gmatch(positions, '%d+') do
      local value = columns[position + 0]
      values = values and value ~= '' and values or nil
      if values then values[#values + 1] = value end
    end
    members[#members + 1] = values and table.concat(values, '\0') .. '\0' .. id or ''
  end
  return members
end

-- Returns the outcome, or nil if something is unusual.
local function put_as_usual()
  local call, args, keys = redis.call, args, keys
  local mode, lifetime, version_field = args[2], args[3], args[4]
  local first_key, outcome_key = 1, nil
  if args[1] ~= '0' then
    first_key, outcome_key = 2, keys[1]
    local outcome = call('GET', outcome_key)
    if outcome then return outcome end
  end
  local at = version_field == '' and 5 or 7
  local id, row = args[at + 1], args[at + 2]
  local record, rows, expiry = keys[first_key], keys[first_key + 1], keys[first_key + 2]
  local index_count = rows and #keys - first_key - 2 or 0
  -- Index `number` has its key at `keys_at + number`, and its member at `members_at + number`.
  local keys_at, members_at = first_key + 2, at + 4

  -- Most often there is neither the record nor a mark, and one command says so.
  local exists, first_mark = false, nil
  if call('EXISTS', record, expiry or record) > 0 then
    -- HLEN, not EXISTS: a key of another type is an error here, not after the first change.
    exists = call('HLEN', record) > 0
    first_mark = expiry and call('ZRANGE', expiry, 0, 0, 'WITHSCORES')[2]
    if first_mark then
      local time = call('TIME')
      if tonumber(first_mark) <= time[1] * 1000 + time[2] / 1000 then return end
    end
  end
  if exists and mode == 'insert' or not exists and mode == 'update' then return end
  if version_field ~= '' and mode ~= 'insert' then
    local stored = exists and call('HGET', record, version_field) or '0'
    if stored ~= args[5] then return end
  end

  if rows then
    local found = call('HMGET', rows, ':', id)
    local old_row, old_members = found[2], nil
    if found[1] ~= args[at] then return end
    if old_row and old_row ~= row then
      old_members = members_of(old_row, id, row, args[members_at])
      if not old_members then return end
    end
    local unique_count = args[at + 3] + 0
    for number = 1, index_count do
      local key, member = keys[keys_at + number], args[members_at + number]
      if not call('ZSCORE', key, '') then return end
      if number <= unique_count and member ~= '' and old_row ~= row
        and not (old_members and old_members[number] == member) then
        local value = string.sub(member, 1, -2 - #id)
        if call('ZLEXCOUNT', key, '[' .. value .. '\0', '(' .. value .. '\1') > 0 then return end
      end
    end
    if old_row ~= row then
      if string.find(row, '\2', 1, true) then return end
      for number = 1, index_count do
        local key, member = keys[keys_at + number], args[members_at + number]
        local old = old_members and old_members[number] or ''
        if member ~= old then
          if old ~= '' then call('ZREM', key, old) end
          if member ~= '' then call('ZADD', key, 0, member) end
        end
      end
      call('HSET', rows, id, row)
    end
  end

  local fields_at = members_at + index_count + 1
  local last_field = fields_at + args[fields_at]
  call('HSET', record, unpack(args, fields_at + 1, last_field))
  if exists and #args > last_field then call('HDEL', record, unpack(args, last_field + 1)) end
  if lifetime == 'persist' then
    if exists then call('PERSIST', record) end
  elseif lifetime ~= 'keep' then
    call('PEXPIRE', record, lifetime)
  end
  if rows then
    -- The mark follows the time to live, even if another program has changed that.
    local expires_at = -1
    if lifetime ~= 'persist' and (exists or lifetime ~= 'keep') then expires_at = call('PEXPIRETIME', record) end
    if expires_at > 0 then
      call('ZADD', expiry, string.format('%.0f', expires_at), id)
    elseif first_mark then
      call('ZREM', expiry, id)
    end
  end
  local outcome = exists and '2:ok1:21:0' or '2:ok1:21:1'
  outcome = outcome .. (version_field == '' and '-:' or #args[6] .. ':' .. args[6])
  if outcome_key then call('SET', outcome_key, outcome, 'PX', args[1]) end
  return outcome
end

-- Puts keys and arguments into the order of write_start.lua.
local function as_one_of_all()
  local at = args[4] == '' and 5 or 7
  local first_key = args[1] == '0' and 1 or 2
  local unique_count, positions = args[at + 3] + 0, args[at + 4]
  local index_count = math.max(#keys - first_key - 2, 0)
  local all_keys = { unpack(keys, 1, first_key - 1) }
  local function add_keys(first, last)
    for number = first, last do all_keys[#all_keys + 1] = keys[number] end
  end
  local first_index = first_key + 3
  add_keys(first_key + 1, first_key + 2)
  add_keys(first_index + unique_count, #keys)
  add_keys(first_index, first_index + unique_count - 1)
  all_keys[#all_keys + 1] = keys[first_key]

  local all = { args[1], 'all', '1', args[at] }
  local function add(...)
    for number = 1, select('#', ...) do all[#all + 1] = (select(number, ...)) end
  end
  if index_count > 0 then add('1', '0') else add('0') end
  add('1', 'put', '1', '1', args[at + 1], args[2], args[3], args[4])
  if at == 7 then add(args[5], args[6]) else add('', '') end
  local fields_at = at + 5 + index_count
  local last_field = fields_at + args[fields_at]
  for number = fields_at, last_field do add(args[number]) end
  add(#args - last_field)
  for number = last_field + 1, #args do add(args[number]) end
  for column in string.gmatch(args[at + 2], '%z([^%z]*)') do add(column) end
  args, keys = all, all_keys
end

if args[2] ~= 'all' then
  local outcome = put_as_usual()
  if outcome then return outcome end
  as_one_of_all()
end

