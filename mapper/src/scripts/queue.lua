-- A work queue: what its scripts share.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, then those of the queue: the ids that wait (list), the jobs (hash),
-- and
--   the ids that are delayed until, reserved until, and dead since a time in ms (sorted sets)
-- ARGV: how long to keep the outcome in ms, and what the script itself takes
--
-- Fields of the hash, for the job 7: `7` is the element, `7:n` counts its attempts, `7:from` the attempts before its
-- last retry, `7:held` has the number of its reservation and the worker, and `7:3` tells how the third attempt failed.
-- `:` is the number that was given last, to a job or to a reservation.
--
-- A script returns texts with their lengths before them: `2:ok1:7`.

local call = redis.call

-- The history of a job tells about so many failed attempts.
local HISTORY = 20

local keep_outcome_for = ARGV[1]
local outcome_key = nil
local before_keys = 0
if keep_outcome_for ~= '0' then
  outcome_key, before_keys = KEYS[1], 1
  local outcome = call('GET', outcome_key)
  if outcome then return outcome end
end
local waiting, jobs = KEYS[before_keys + 1], KEYS[before_keys + 2]
local delayed, reserved, dead = KEYS[before_keys + 3], KEYS[before_keys + 4], KEYS[before_keys + 5]

-- Before the first change: a key of another type is an error.
call('LLEN', waiting)
call('HLEN', jobs)
call('ZCARD', delayed)
call('ZCARD', reserved)
call('ZCARD', dead)

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Lua would print large numbers as 1e+15.
local function text_of(value)
  if type(value) == 'number' then return string.format('%.0f', value) end
  return value
end

local function texts_of(values)
  local texts = {}
  for at, value in ipairs(values) do
    local text = text_of(value)
    texts[at] = #text .. ':' .. text
  end
  return table.concat(texts)
end

local function finish(values)
  local outcome = texts_of(values)
  if outcome_key then call('SET', outcome_key, outcome, 'PX', keep_outcome_for) end
  return outcome
end

local function next_number()
  return text_of(call('HINCRBY', jobs, ':', 1))
end

local function number_at(field)
  return tonumber(call('HGET', jobs, field) or '0')
end

-- Returns the attempts since the last retry, and all.
local function attempts_of(id)
  local all = number_at(id .. ':n')
  return all - number_at(id .. ':from'), all
end

-- Removes all that is known of a job.
local function forget(id)
  local _, last = attempts_of(id)
  local fields = {id, id .. ':n', id .. ':from', id .. ':held'}
  for attempt = math.max(1, last - HISTORY + 1), last do
    fields[#fields + 1] = id .. ':' .. text_of(attempt)
  end
  call('HDEL', jobs, unpack(fields))
end

-- Returns the number of the reservation and the worker that hold a job.
local function holder_of(id)
  local held = call('HGET', jobs, id .. ':held')
  if not held then return nil end
  return string.match(held, '^(%d+) (.*)$')
end

-- Ends a reservation, and adds to the history of the job why its attempt has failed.
local function end_attempt(id, why)
  local _, worker = holder_of(id)
  local _, attempt = attempts_of(id)
  call('ZREM', reserved, id)
  call('HDEL', jobs, id .. ':held', id .. ':' .. text_of(attempt - HISTORY))
  call('HSET', jobs, id .. ':' .. text_of(attempt), texts_of({now, worker or '', why}))
end

-- Returns whether a job has no attempt left. It is then dead.
local function is_used_up(id, max_attempts)
  if attempts_of(id) < max_attempts then return false end
  call('ZADD', dead, now, id)
  return true
end

-- Takes back up to `limit` jobs whose workers have let the deadline pass. They are the next ones.
local function take_back(limit, max_attempts)
  local returned, died = 0, 0
  local expired = call('ZRANGEBYSCORE', reserved, '-inf', now, 'LIMIT', 0, limit)
  -- Each is put before the others, so that the one that expired first is the first.
  for at = #expired, 1, -1 do
    local id = expired[at]
    end_attempt(id, 'the deadline passed')
    if is_used_up(id, max_attempts) then
      died = died + 1
    else
      call('LPUSH', waiting, id)
      returned = returned + 1
    end
  end
  return returned, died
end

-- Lets up to `limit` delayed jobs wait whose time has come.
local function end_delays(limit)
  local due = call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(due) do
    call('ZREM', delayed, id)
    call('RPUSH', waiting, id)
  end
  return #due
end
