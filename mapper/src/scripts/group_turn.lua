-- One turn of a worker: settles what it has handled, keeps what it holds, and takes more, in one command.
--
-- The delivery count of an entry is the number of times that its handling has begun: 0 while it is queued, and one more with
-- each start. It does not count deliveries, because a reply that was lost is not an attempt. Owner and count are the fence:
-- whoever has another count, or is not the owner any more, changes nothing. XACK alone would ask for neither.
--
-- KEYS: the log, the stream of redriven entries, the dead-letter stream
-- ARGV: the group, the consumer, the most entries that may be pending with it, how often an entry may be started, the idle
--       time in ms from which on entries are taken from others or "", `1` to take own entries that it does not hold or "",
--       how many entries to take, how many of them to start, `1` to leave their fields out because they do not fit a reply or
--       "", `1` to create the group again if the log is gone or "", the number of held entries, and each (stream, id), the number
--       of operations, and each (what, stream, id, count, `1` if it may have been executed before or "", detail)
--
-- Streams are numbered: 1 is the log, 2 that of redriven entries.
--
-- The reply is `nogroup`, or `ok` or `recreated`, then the outcome of each operation, the held entries that are lost (stream,
-- id), the pending entries that were trimmed (stream, id, consumer, count), the entries (stream, id, count, 1 if it is started
-- or 2 if it was pending with this consumer and not held, the consumer that had it or nil, fields or nil), and how many entries were trimmed before their delivery, or -1.

local call = redis.call

local next_arg = 0

local function take()
  next_arg = next_arg + 1
  return ARGV[next_arg]
end

local function take_number() return tonumber(take()) end

local group, consumer = take(), take()
local most_pending, most_starts = take_number(), take_number()
local reclaim_idle, adopts = take(), take() == '1'
local wanted, starting, hides_fields = take_number(), take_number(), take() == '1'
local recreates = take() == '1'
local log, retries, dead_letters = KEYS[1], KEYS[2], KEYS[3]

-- Groups. Only if the log itself is gone, a group that begins at the start skips nothing.

local status = 'ok'

-- How many entries are pending with this consumer, by the key of the stream.
local own_count = {}

local function is_without_group(stream)
  local reply = redis.pcall('XPENDING', stream, group)
  if not reply.err then
    for _, one in ipairs(reply[4] or {}) do
      if one[1] == consumer then own_count[stream] = tonumber(one[2]) end
    end
    return false
  end
  if string.find(reply.err, 'NOGROUP', 1, true) then return true end
  return false, reply
end

local missing, problem = is_without_group(log)
if problem then return problem end
if missing then
  if call('EXISTS', log) == 1 or not recreates then return { 'nogroup' } end
  call('XGROUP', 'CREATE', log, group, '0', 'MKSTREAM')
  status = 'recreated'
end

-- The wrong type is an error here, before any change.
call('XLEN', dead_letters)

-- There are redriven entries only while there is a stream of them. All that it has is still to be handled.
local streams = { log }
if call('EXISTS', retries) == 1 then
  missing, problem = is_without_group(retries)
  if problem then return problem end
  if missing then call('XGROUP', 'CREATE', retries, group, '0') end
  streams[2] = retries
end

-- What one entry needs.

-- All of them: there are more than the most that may be pending if an earlier process of this name was allowed more.
local function own_pending(stream)
  return call('XPENDING', streams[stream], group, '-', '+', 100000, consumer)
end

local function fields_of(stream, id)
  local entry = call('XRANGE', streams[stream], id, id)[1]
  return entry and entry[2]
end

-- A redriven entry is in no other group, so it goes when it is settled.
local function settle(stream, ...)
  call('XACK', streams[stream], group, ...)
  if stream == 2 then call('XDEL', retries, ...) end
end

-- Returns which entries still exist. XCLAIM drops a pending entry that was trimmed, and its reply leaves it out. With JUSTID,
-- it leaves the count as it is, unless RETRYCOUNT sets it.
local function claim(stream, ids, ...)
  local arguments, kept = { unpack(ids) }, {}
  for _, option in ipairs({ ... }) do arguments[#arguments + 1] = option end
  arguments[#arguments + 1] = 'JUSTID'
  local claimed = call('XCLAIM', streams[stream], group, consumer, 0, unpack(arguments))
  for _, id in ipairs(claimed) do kept[id] = true end
  return kept
end

local function bury(stream, id, count, why)
  local fields = fields_of(stream, id)
  if not fields then
    settle(stream, id)
    return 'trimmed'
  end
  local source_id, redrives, first = id, '0', 1
  if stream == 2 then source_id, redrives, first = fields[2], fields[4], 5 end
  local time = call('TIME')
  local history = {
    '::log', log, '::id', source_id, '::group', group, '::consumer', consumer, '::deliveries', count, '::redrives', redrives,
    '::error', why, '::time', time[1] .. string.format('%03d', math.floor(time[2] / 1000)),
  }
  if #fields > 7000 then
    -- `unpack` fails at 8,000 values.
    local texts = {}
    for at = first, #fields do texts[#texts + 1] = #fields[at] .. ':' .. fields[at] end
    fields, first = { '::fields', table.concat(texts) }, 1
  end
  for at = first, #fields do history[#history + 1] = fields[at] end
  -- The server can be out of memory. What else the worker has done is settled all the same.
  local added = redis.pcall('XADD', dead_letters, '*', unpack(history))
  if type(added) == 'table' then return 'refused ' .. added.err end
  settle(stream, id)
  return 'ok'
end

-- These return which of the entries still exist, if they know.
local OPERATIONS = {
  start = function(stream, ids, count) return claim(stream, ids, 'RETRYCOUNT', count + 1) end,
  ack = function(stream, ids) settle(stream, unpack(ids)) end,
  -- Others may take it at once: it has been idle for a day.
  release = function(stream, ids) return claim(stream, ids, 'IDLE', 86400000) end,
}

local held, held_ids = { {}, {} }, {}
for _ = 1, take_number() do
  local stream, id = take_number(), take()
  table.insert(held[stream], id)
  held_ids[stream .. id] = true
end

-- From a script, a call takes longer than one more entry in its reply, or one more id in its arguments. So operations share
-- calls: one that asks for all counts, unless there are far more of them, and one for all entries that need the same.

local operation_count = take_number()
local counts = {}

local function count_if_own(stream, id)
  local key = streams[stream]
  if not key then return end
  if operation_count * 4 < (own_count[key] or 0) then
    local pending = call('XPENDING', key, group, id, id, 1)[1]
    return pending and pending[2] == consumer and pending[4]
  end
  if not counts[stream] then
    counts[stream] = {}
    for _, pending in ipairs(own_pending(stream)) do counts[stream][pending[1]] = pending[4] end
  end
  return counts[stream][id]
end

local outcomes, batches, batch_of = {}, {}, {}

local function batch(number, what, stream, id, count)
  local name = what .. stream .. ':' .. count
  local one = batch_of[name]
  if not one then
    one = { what = what, stream = stream, count = count, ids = {}, numbers = {} }
    batch_of[name] = one
    batches[#batches + 1] = one
  end
  one.ids[#one.ids + 1] = id
  one.numbers[#one.numbers + 1] = number
end

for number = 1, operation_count do
  local what, stream, id, count, is_repeated, detail = take(), take_number(), take(), take_number(), take() == '1', take()
  local stored = count_if_own(stream, id)
  -- The reply to the same start may have been lost.
  local may_be_started = is_repeated and (what == 'start' or what == 'release')
  if stored ~= count and not (may_be_started and stored == count + 1) then
    outcomes[number] = 'lost'
  elseif what == 'dead' then
    outcomes[number] = bury(stream, id, count, detail)
  else
    outcomes[number] = 'ok'
    batch(number, what, stream, id, count)
  end
end

for _, one in ipairs(batches) do
  local kept = OPERATIONS[one.what](one.stream, one.ids, one.count)
  for at, id in ipairs(one.ids) do
    if kept and not kept[id] then outcomes[one.numbers[at]] = 'trimmed' end
  end
end

-- What the worker holds: it stays pending with this consumer, however long it takes.

local lost, trimmed = {}, {}

local function beat(stream)
  if #held[stream] == 0 then return end
  local is_own, ids = {}, {}
  for _, pending in ipairs(own_pending(stream)) do is_own[pending[1]] = pending[4] end
  for _, id in ipairs(held[stream]) do
    if is_own[id] then ids[#ids + 1] = id else lost[#lost + 1] = { stream, id } end
  end
  if #ids == 0 then return end
  local kept = claim(stream, ids)
  for _, id in ipairs(ids) do
    if not kept[id] then trimmed[#trimmed + 1] = { stream, id, consumer, is_own[id] } end
  end
end

for stream = 1, 2 do
  if streams[stream] then
    beat(stream)
  else
    for _, id in ipairs(held[stream]) do lost[#lost + 1] = { stream, id } end
  end
end

-- More entries: those of dead workers, those whose delivery was lost, redriven ones, new ones.

local entries = {}

local QUEUED, STARTED, ADOPTED = 0, 1, 2

local function add(stream, id, count, state, from, fields)
  entries[#entries + 1] = { stream, id, count, state, from, not hides_fields and fields }
  wanted = wanted - 1
  if state == STARTED then starting = starting - 1 end
end

local function take_pending(stream, pending, is_adopted)
  local id, from, count = pending[1], pending[2], pending[4]
  if wanted <= 0 or held_ids[stream .. id] then return end
  local fields = fields_of(stream, id)
  if not fields then
    settle(stream, id)
    trimmed[#trimmed + 1] = { stream, id, from, count }
    return
  end
  local state = is_adopted and ADOPTED or starting > 0 and count < most_starts and STARTED or QUEUED
  if state == STARTED then count = count + 1 end
  claim(stream, { id }, 'RETRYCOUNT', count)
  add(stream, id, count, state, from, fields)
end

-- Takes entries that have been idle for so long that their consumer is dead: of one consumer, or of all.
local function reclaim(stream, ...)
  if wanted <= 0 then return end
  local idle = call('XPENDING', streams[stream], group, 'IDLE', reclaim_idle, '-', '+', wanted, ...)
  for _, one in ipairs(idle) do take_pending(stream, one, false) end
end

local function take_new(stream)
  if wanted <= 0 then return end
  local read = call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', wanted, 'STREAMS', streams[stream], '>')
  local queued = {}
  for _, entry in ipairs(read and read[1][2] or {}) do
    -- XREADGROUP has set the count to 1.
    local state = starting > 0 and STARTED or QUEUED
    if state == QUEUED then queued[#queued + 1] = entry[1] end
    add(stream, entry[1], state, state, false, entry[2])
  end
  if #queued > 0 then claim(stream, queued, 'RETRYCOUNT', 0) end
end

-- Returns the value of a name in a reply to XINFO.
local function value_of(info, name)
  for at = 1, #info, 2 do
    if info[at] == name then return info[at + 1] end
  end
end

local function count_missed()
  for _, info in ipairs(call('XINFO', 'GROUPS', log)) do
    local is_own = value_of(info, 'name') == group
    -- Before its first read, the server does not count.
    local read = is_own and (value_of(info, 'last-delivered-id') == '0-0' and 0 or value_of(info, 'entries-read'))
    if read then
      local stream = call('XINFO', 'STREAM', log)
      return math.max(0, value_of(stream, 'entries-added') - value_of(stream, 'length') - read)
    end
  end
  return -1
end

local missed = -1

if wanted > 0 then
  -- Before the next entries are read: then the server counts on from there.
  missed = count_missed()
  local pending = 0
  for stream in ipairs(streams) do
    for _, one in ipairs(call('XPENDING', streams[stream], group)[4] or {}) do
      if one[1] == consumer then pending = pending + tonumber(one[2]) end
    end
  end
  for stream in ipairs(streams) do
    if adopts then
      for _, one in ipairs(own_pending(stream)) do take_pending(stream, one, true) end
    end
    -- Those of an earlier process of this name.
    if reclaim_idle ~= '' then reclaim(stream, consumer) end
  end
  -- The others are pending with this consumer only when they are taken.
  wanted = math.min(wanted, most_pending - pending)
  for stream in ipairs(streams) do
    if reclaim_idle ~= '' then reclaim(stream) end
  end
  for stream = #streams, 1, -1 do take_new(stream) end
end

if streams[2] and call('XLEN', retries) == 0 then call('DEL', retries) end

return { status, outcomes, lost, trimmed, entries, missed }
