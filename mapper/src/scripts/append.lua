-- Appends events to a log, where XADD alone does not do. It follows retain.lua.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the log, and the key of the caller's outcome if ARGV[2] is not 0
-- ARGV: how long to keep the outcome in ms, how long to keep that of the caller's key, the fingerprint of the events,
--       1 to publish the last id or else 0, `=` or `~`, then the number of entries, the smallest id and the greatest age in
--       ms that the log keeps, or "" for those without a limit, and the id of the first event or `*`. For each event: the
--       number of the texts that follow, names and values
--
-- Returns the ids of the entries, with spaces between them. If the events were refused, returns `!`, the reason, and for
-- `!used` the ids of the first events under the caller's key.

local keep_outcome_for, keep_once_for, fingerprint, publishes = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local mode, max_len, min_id, max_age = ARGV[5], optional(ARGV[6]), optional(ARGV[7]), optional(ARGV[8])
local first_id = ARGV[9]
local log, once_key, outcome_key = KEYS[1], KEYS[2], nil
if keep_outcome_for ~= '0' then
  outcome_key, log, once_key = KEYS[1], KEYS[2], KEYS[3]
  local outcome = redis.call('GET', outcome_key)
  if outcome then return outcome end
end

local function finish(outcome)
  if outcome_key then redis.call('SET', outcome_key, outcome, 'PX', keep_outcome_for) end
  return outcome
end

if once_key then
  local kept = redis.call('GET', once_key)
  if kept then
    local used_for, ids = string.match(kept, '^(%S+) (.+)$')
    return finish(used_for == fingerprint and ids or '!used ' .. (ids or ''))
  end
end

local min_time = max_age and now() - max_age
-- An entry with such an id would be removed at once.
if min_time and first_id ~= '*' and tonumber(string.match(first_id, '^%d+')) < min_time then
  return finish('!old')
end

local ids = {}
local at = 10
while ARGV[at] do
  local last = at + ARGV[at]
  local id = #ids == 0 and first_id or '*'
  ids[#ids + 1] = redis.call('XADD', log, id, unpack(ARGV, at + 1, last))
  at = last + 1
end
retain(log, mode, max_len, min_id, min_time)

local all_ids = table.concat(ids, ' ')
if once_key then redis.call('SET', once_key, fingerprint .. ' ' .. all_ids, 'PX', keep_once_for) end
-- Readers wake up. What they read is in the log, so only the last id is of use.
-- A message is a hint. Who may not publish has appended all the same.
if publishes then redis.pcall('PUBLISH', log, ids[#ids]) end
return finish(all_ids)
