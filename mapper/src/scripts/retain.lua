-- What append.lua and trim.lua share.

-- Returns the time of the server in milliseconds.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Removes the entries that a log need not keep, and returns how many. `mode` is `=` or `~`, the other arguments are the
-- number of entries, the smallest id, and the smallest time in milliseconds, or nil if there is no such limit.
local function retain(log, mode, max_len, min_id, min_time)
  local removed = 0
  if max_len then removed = removed + redis.call('XTRIM', log, 'MAXLEN', mode, max_len) end
  if min_id then removed = removed + redis.call('XTRIM', log, 'MINID', mode, min_id) end
  if min_time and min_time > 0 then
    removed = removed + redis.call('XTRIM', log, 'MINID', mode, string.format('%.0f', min_time))
  end
  return removed
end

-- Returns an argument, or nil if it is empty.
local function optional(text)
  if text ~= '' then return text end
end
