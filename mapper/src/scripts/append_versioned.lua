-- Appends events to a versioned log: all of them, or none. The event that makes version 7 is the entry `7-0`. It
-- follows stream_room.lua.
--
-- The first entry of a commit names it in the field `:commit`, so a commit that is repeated after a lost reply is
-- recognized as long as that entry exists: no memory of outcomes is needed. Only a commit that expects no version needs
-- one, because its entries can be anywhere.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the log, the category stream if ARGV[4] is not ""
-- ARGV: how long to keep the outcome in ms, the expected version or `any`, the id of the commit, the name of the log in
--       the category or "", whether to publish (1 or 0), the number of events, and for each event the number of texts
--       in its fields, and fields and their texts
--
-- Returns `ok VERSION COUNT CATEGORY-ID`, `conflict VERSION EXPECTED`, `removed VERSION EXPECTED` if the entry that
-- would tell whether the commit was made is gone, `other VERSION COUNT` if a commit of other events has this id,
-- `foreign LAST-ID` if the log has entries that no version names, or `full` if the category stream has had the greatest
-- id.

local call = redis.call
local keep_outcome_for, expected, commit, name_in_category = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local publishes, count = ARGV[5] == '1', tonumber(ARGV[6])
local log, category, outcome_key = KEYS[1], KEYS[2], nil
if keep_outcome_for ~= '0' then
  outcome_key, log, category = KEYS[1], KEYS[2], KEYS[3]
end

-- Returns an outcome that the commit with this id has had, if it was one of the same events. Of those that were removed
-- since, the number is compared.
local function repeated(outcome)
  local version, events = string.match(outcome, '^ok (%d+) (%d+)')
  local is_other = events ~= digits(count)
  local at, named = 7, digits(count) .. ' ' .. commit
  for number = 1, is_other and 0 or count do
    local id, length = digits(version - count + number) .. '-0', tonumber(ARGV[at])
    local entry = call('XRANGE', log, id, id)[1]
    local texts, skipped = entry and entry[2], number == 1 and 2 or 0
    -- The log was removed and begun again.
    if number == 1 and texts and (texts[1] ~= ':commit' or texts[2] ~= named) then break end
    is_other = is_other or texts and #texts - skipped ~= length
    for offset = 1, texts and length or 0 do
      is_other = is_other or texts[skipped + offset] ~= ARGV[at + offset]
    end
    at = at + length + 1
  end
  return is_other and 'other ' .. version .. ' ' .. events or outcome
end

-- Returns the id of the commit that made a version, and its number of events. Returns nil if the entry is gone. An
-- entry within a commit names none.
local function commit_at(version)
  local id = digits(version) .. '-0'
  local entry = call('XRANGE', log, id, id)[1]
  if not entry then return end
  if entry[2][1] ~= ':commit' then return '', '0' end
  local events, name = string.match(entry[2][2], '^(%d+) (.*)$')
  return name or '', events or '0'
end

-- Returns why the events cannot be appended, or what a commit with this id has done already.
local function settled(version, facts)
  if not version then return 'foreign ' .. facts.last end
  if expected == 'any' or tonumber(expected) == version then return end
  if tonumber(expected) < version then
    local name, events = commit_at(expected + 1)
    if not name then return 'removed ' .. digits(version) .. ' ' .. expected end
    if name == commit then return repeated('ok ' .. digits(expected + events) .. ' ' .. events .. ' -') end
  end
  return 'conflict ' .. digits(version) .. ' ' .. expected
end

local function append(version)
  local at, category_id = 7, '-'
  for number = 1, count do
    local last = at + ARGV[at]
    local id = digits(version + number) .. '-0'
    if number == 1 then
      call('XADD', log, id, ':commit', digits(count) .. ' ' .. commit, unpack(ARGV, at + 1, last))
    else
      call('XADD', log, id, unpack(ARGV, at + 1, last))
    end
    if category then
      local source = { ':log', name_in_category, ':version', digits(version + number) }
      category_id = call('XADD', category, '*', source[1], source[2], source[3], source[4], unpack(ARGV, at + 1, last))
    end
    at = last + 1
  end
  if publishes then
    -- A message is a hint. Who may not publish has appended all the same.
    redis.pcall('PUBLISH', log, digits(version + count) .. '-0')
    if category then redis.pcall('PUBLISH', category, category_id) end
  end
  return 'ok ' .. digits(version + count) .. ' ' .. digits(count) .. ' ' .. category_id
end

local kept = outcome_key and call('GET', outcome_key)
if kept then return repeated(kept) end
local facts = facts_of(log)
local version = version_of(facts)
local outcome = settled(version, facts)
if outcome then return outcome end
-- A category that refuses the events does so here, not after the first change: that of another type too.
if category and not has_room(category, count) then return 'full' end
outcome = append(version)
if outcome_key then call('SET', outcome_key, outcome, 'PX', keep_outcome_for) end
return outcome
