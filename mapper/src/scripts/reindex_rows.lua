-- Compares rows with their entries, and expiry marks with times to live. `repair` makes the entries and marks what the rows
-- and the records say; `check` changes nothing.
--
-- KEYS: also the key of the record of each id
-- ARGV: also `repair` or `check`; for each id, `1` or `0` if it is not an id of the model, and the id
--
-- The reply: how many rows were removed, how many entries were added, how many marks were changed, and a list of problems.
-- `check` lists what it finds, `repair` what it cannot repair. A problem is the position of its id, what it is, and two
-- details.

local repairs = ARGV[2] == 'repair'

local lost_or_other = problem_of_keys(repairs)
if lost_or_other then return lost_or_other end

local purged, added, marked, problems = 0, 0, 0, {}

local function report(number, what, first, second)
  problems[#problems + 1] = { number, what, first or '', second or '' }
end

local now = server_time()

-- Returns another record that has the entry in a unique index. An entry that no row explains will be removed.
local function owner_of(key, number, entry, id)
  for _, member in ipairs(call('ZRANGE', key, '[' .. entry .. '\0', '(' .. entry .. '\1', 'BYLEX', 'LIMIT', 0, 20)) do
    local owner = string.sub(member, #entry + 2)
    if owner ~= id and has_entry(owner, number, entry) then return owner end
  end
end

local function check_entry(position, id, number, entry)
  local key = index_key(number, partition_of_entry(number, entry, id))
  local member = entry .. '\0' .. id
  if call('ZSCORE', key, member) then return end
  local index = layout.indexes[number]
  if not repairs then return report(position, 'entry', index.name) end
  local owner = index.unique and owner_of(key, number, entry, id)
  if owner then return report(position, 'duplicate', index.name, owner) end
  call('ZADD', key, 0, member)
  added = added + 1
end

-- Removes what the indexes know of a record that does not exist.
local function forget(rows, expiry, id, columns)
  for number, index in ipairs(columns and layout.indexes or {}) do
    for _, entry in ipairs(entries_of(index, columns)) do
      call('ZREM', index_key(number, partition_of_entry(number, entry, id)), entry .. '\0' .. id)
    end
  end
  purged = purged + call('HDEL', rows, id)
  call('ZREM', expiry, id)
end

local function check_mark(position, expiry, id, record, found, what)
  local expires_at = call('PEXPIRETIME', record)
  local expected = expires_at > 0 and expires_at or nil
  if tonumber(found or nil) == expected then return end
  if not repairs then return report(position, what) end
  if expected then
    call('ZADD', expiry, string.format('%.0f', expected), id)
  else
    call('ZREM', expiry, id)
  end
  marked = marked + 1
end

local function check_id(position, id, record)
  local partition = partition_of_id(id)
  local rows, expiry = rows_key(partition), expiry_key(partition)
  local row, found = call('HGET', rows, id), call('ZSCORE', expiry, id)
  if not row and not found then return end
  local columns = columns_of_id(id)
  -- Not by HLEN: what another program keeps at the key is no record.
  if not (record and call('TYPE', record).ok == 'hash') then
    if repairs then return forget(rows, expiry, id, columns) end
    -- What has expired is removed by the next writes, or by the next run.
    if found and tonumber(found) <= now then return end
    return report(position, row and 'gone' or 'orphan')
  end
  if columns then
    for number, index in ipairs(layout.indexes) do
      for _, entry in ipairs(entries_of(index, columns)) do check_entry(position, id, number, entry) end
    end
  elseif row and repairs then
    -- The record could not be read, or the row would have the present layout by now. Its entries are removed later.
    purged = purged + call('HDEL', rows, id)
  end
  return check_mark(position, expiry, id, record, found, row and 'mark' or 'orphan')
end

for position = 1, #KEYS - model_keys do
  local is_id, id = ARGV[1 + 2 * position], ARGV[2 + 2 * position]
  check_id(position, id, is_id == '1' and KEYS[model_keys + position])
end
return { purged, added, marked, problems }
