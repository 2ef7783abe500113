-- Appends events to a log, where XADD alone does not do. It follows append_events.lua and stream_room.lua.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the log, and the key of the caller's outcome if ARGV[2] is not 0
-- ARGV: how long to keep the outcome in ms, how long to keep that of the caller's key, the fingerprint of the events,
--       1 to publish the last id or else 0, the retention, the id of the first event or `*`, the number of events, the
--       events
--
-- Returns the ids of the entries, with spaces between them. If the events were refused, returns `!`, the reason, and
-- for `!used` the ids of the first events under the caller's key.

local keep_outcome_for, keep_once_for, fingerprint, publishes = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local first_id, count = ARGV[9], tonumber(ARGV[10])
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

local retention = retention_at(ARGV, 5)
local min_time = retention.min_time
-- An entry with such an id would be removed at once.
if min_time and first_id ~= '*' and tonumber(string.match(first_id, '^%d+')) < min_time then
  return finish('!old')
end
-- A single XADD that is refused has changed nothing.
if count > 1 and not has_room(log, count) then return finish('!full') end

local ids = append_events(log, first_id, ARGV, 11, count, retention, publishes)
if once_key then redis.call('SET', once_key, fingerprint .. ' ' .. ids, 'PX', keep_once_for) end
return finish(ids)
