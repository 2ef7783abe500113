-- Which entries a log keeps. A part of other scripts.

-- Reads the limits that stand in a list from `at` on: `=` or `~`, then the number of entries, the smallest id and the
-- greatest age in ms, or "" for those without a limit.
local function retention_at(list, at)
  local function limit(text) return text ~= '' and text or nil end
  local retention = { mode = list[at], max_len = limit(list[at + 1]), min_id = limit(list[at + 2]) }
  if limit(list[at + 3]) then
    local time = redis.call('TIME')
    retention.min_time = time[1] * 1000 + math.floor(time[2] / 1000) - list[at + 3]
  end
  return retention
end

-- Removes the entries that a log need not keep, and returns how many.
local function retain(log, retention)
  local call, mode, min_time, removed = redis.call, retention.mode, retention.min_time, 0
  if retention.max_len then removed = removed + call('XTRIM', log, 'MAXLEN', mode, retention.max_len) end
  if retention.min_id then removed = removed + call('XTRIM', log, 'MINID', mode, retention.min_id) end
  if min_time and min_time > 0 then
    removed = removed + call('XTRIM', log, 'MINID', mode, string.format('%.0f', min_time))
  end
  return removed
end
