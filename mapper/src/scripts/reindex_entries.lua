-- Compares a page of the entries of an index with the rows. `repair` removes entries that no row has; `check` changes
-- nothing.
--
-- ARGV: also `repair` or `check`, the number of the index, the partition, the cursor, about how many entries to look at
--
-- The reply: the next cursor, how many entries were looked at, and those that no row has.

local repairs, number, partition, cursor, count = ARGV[2] == 'repair', tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]

local lost_or_other = problem_of_keys(repairs)
if lost_or_other then return lost_or_other end

local key = index_key(number, partition)

local function is_explained(member)
  -- The first member shows that the index was not lost.
  if member == '' then return true end
  local entry, id = parts_of(member, #layout.indexes[number].columns)
  return entry and partition_of_entry(number, entry, id) == partition and has_entry(id, number, entry)
end

local page = call('ZSCAN', key, cursor, 'COUNT', count)
local members, stray = page[2], {}
-- Each member is followed by its score.
for at = 1, #members, 2 do
  local member = members[at]
  if not is_explained(member) then
    stray[#stray + 1] = member
    if repairs then call('ZREM', key, member) end
  end
end
return { page[1], #members / 2, stray }
