-- Unique values: against the state after all operations. Then all checks, in their order.

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
    -- The values that a record keeps are its own. Only other operations have to know them.
    if index.unique and (operation_count > 1 or not has_same_entries(operation.row, index, operation.columns)) then
      layout.claims = layout.claims or {}
      for _, entry in ipairs(entries_of(index, operation.columns)) do
        local claim = number .. ':' .. entry
        local other = layout.claims[claim]
        if other and other ~= operation.id then
          return refuse(operation.number, 'duplicate', layout, operation.record, index.name, other)
        end
        layout.claims[claim] = operation.id
        if not (operation.row and entries_of_row(operation.row, layout, number)[entry])
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
  operation_count = take_number()
  for number = 1, operation_count do
    if check_operation(number) then return true end
  end
  for _, operation in ipairs(operations) do
    if operation.group and operation.columns and check_claims(operation) then return true end
  end
end

if check_all() then return finish() end
