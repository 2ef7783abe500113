-- Changes. None of them can fail.

-- Creates the keys of the partitions that are written to for the first time.
local function create_keys(layout)
  for _, group in ipairs(layout.groups) do
    if group.is_new then
      call('HSET', group.rows, ':', layout.label)
      for _, key in pairs(group.index_keys) do call('ZADD', key, 0, '') end
      if layout.partitions > 1 then
        local created = call('HGET', layout.first_rows, ':partitions')
        local number = string.format('%.0f', group.number)
        call('HSET', layout.first_rows, ':', layout.label, ':partitions', created and created .. ',' .. number or number)
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

local function write_entries(operation, number, index)
  local layout, group, id, row = operation.layout, operation.group, operation.id, operation.row
  local old = row and entries_of_row(row, layout, number) or {}
  local new = {}
  for _, entry in ipairs(entries_of(index, operation.columns)) do new[entry] = true end
  for entry in pairs(old) do
    if not new[entry] then call('ZREM', index_key(layout, group, number, entry), entry .. '\0' .. id) end
  end
  for entry in pairs(new) do
    if not old[entry] then call('ZADD', index_key(layout, group, number, entry), 0, entry .. '\0' .. id) end
  end
end

local function write_row(operation)
  local layout, group, id, row = operation.layout, operation.group, operation.id, operation.row
  local text = layout.tag .. '\0' .. table.concat(operation.columns, '\0')
  if row and row.text == text then return end
  for number, index in ipairs(layout.indexes) do
    if not has_same_entries(row, index, operation.columns) then write_entries(operation, number, index) end
  end
  call('HSET', group.rows, id, text)
end

local function say_fields(operation)
  if operation.ids then say(operation.ids) end
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
-- version, and the fields that were asked for, or the ids of appended entries.
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
  if operation.append then
    operation.ids = operation.append()
    return say_outcome(operation, true)
  end
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
