-- One turn of a worker: settles what it has handled, keeps what it holds, and takes more, in one command. It follows
-- stream_missed.lua.
--
-- The delivery count of an entry is the number of times that its handling has begun: 0 while it is queued, and one more
-- with each start. It does not count deliveries, because a reply that was lost is not an attempt. Owner and count are
-- the fence: whoever has another count, or is not the owner any more, changes nothing. XACK alone would ask for
-- neither.
--
-- KEYS: the log, the stream of redriven entries, the dead-letter stream, the times before which entries wait
-- ARGV:
--   the group, the consumer
--   the most entries that may be pending with it, how often an entry may be started
--   the idle time in ms from which on entries are taken from others, or ""
--   `1` to take own entries that it does not hold, or ""
--   how many entries to take, how many of them to start
--   `1` to leave their fields out because they do not fit a reply, or ""
--   `1` to create the group again if the log is another one, or ""
--   how many entries the log has removed whose loss the worker has reported, or ""
--   the id of the first entry of the log when losses were last counted, or `0-0`
--   `1` to announce entries that are given up, or ""
--   the run of the worker, the number of this turn, the number up to which turns of this run are over, or ""
--   for the log, and for the stream of redriven entries: how many operations, the first and the last of their ids
--   the number of pending entries that it has reported as trimmed, and each: stream, id
--   the number of held entries, and each: stream, id
--   the number of batches of operations that do the same, and each: what, stream, count, `1` if it may have been
--     started before or "", detail, the number of ids, the ids
--
-- Streams are numbered: 1 is the log, 2 that of redriven entries.
--
-- The reply is `nogroup`, or `overtaken`, or:
--   `ok` or `recreated`
--   the numbers of the operations whose entries are not those of this consumer any more
--   other operations that are not done: number, outcome
--   the held entries that are lost: stream, id
--   the pending entries that were trimmed: stream, id, consumer, count
--   the pending entries that were taken: stream, id, count, 1 if it is started or 2 if it was pending with this
--     consumer and not held, the consumer that had it, fields or nil, how long it still waits in ms
--   the new entries of each stream: stream, how many of them are started, entries
--   how many entries were trimmed before their delivery, or -1, how many the log has removed, the id of its first entry
--   or `0-0`

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
local recreates, reported, known_first, announces = take() == '1', take_number(), take(), take() == '1'
local log, retries, dead_letters, waits = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- A request can arrive after its worker has given it up, and has sent and read another one. What it would take, it would
-- take for nobody. So the first turn after one that is in doubt notes that earlier ones are over.

local run, turn, overtaken = take(), take_number(), take_number()
local OVERTAKEN, LONGEST_WAY = 'turn:' .. consumer, 3600000

local function is_overtaken()
  local over_run, over = string.match(call('HGET', waits, OVERTAKEN) or '', '^(%x+) (%d+)$')
  return over_run == run and turn <= tonumber(over)
end

local function overtake()
  -- A server that is out of memory refuses what would be the first write of a script.
  call('HDEL', waits, '')
  redis.pcall('HSET', waits, OVERTAKEN, run .. ' ' .. digits(overtaken))
  if call('PTTL', waits) < LONGEST_WAY then call('PEXPIRE', waits, LONGEST_WAY) end
end

if is_overtaken() then return { 'overtaken' } end

-- Groups, and the counts of the entries that operations are about. Only if the log itself is gone, a group that begins
-- at the start skips nothing.

local status = 'ok'
local ranges, counts, has_all_counts = {}, {}, {}
for stream = 1, 2 do ranges[stream] = { number = take_number(), first = take(), last = take() } end

-- Others can set any count. Up to here, numbers are exact.
local function capped(count) return math.min(count, 9007199254740992) end

-- From a script, a call takes longer than a few more entries in its reply: one call asks for what lies between the
-- first and the last. Returns its error.
local function look_up(stream)
  local range = ranges[stream]
  local most = 4 * range.number + 1
  local pending = redis.pcall('XPENDING', KEYS[stream], group, range.first, range.last, most, consumer)
  if pending.err then return pending end
  counts[stream], has_all_counts[stream] = {}, #pending < most
  for _, one in ipairs(pending) do counts[stream][one[1]] = capped(one[4]) end
end

local function is_missing(problem) return problem and string.find(problem.err, 'NOGROUP', 1, true) end

-- Returns the delivery count of an entry that is pending with this consumer.
local function count_of(stream, id)
  local known = counts[stream]
  if not known or known[id] or has_all_counts[stream] then return known and known[id] end
  local one = call('XPENDING', KEYS[stream], group, id, id, 1, consumer)[1]
  return one and capped(one[4])
end

-- Returns whether the log is gone, or was begun again: as it has lost no entry, it would still have its first one. There
-- is no position to judge by as `Facts::judge` does: it was that of the group, and is gone with it.
local function is_another_log()
  if call('EXISTS', log) == 0 then return true end
  local facts = facts_of(log)
  return known_first ~= '0-0' and facts.added == facts.length and facts.first ~= known_first
end

local problem = look_up(1)
if is_missing(problem) then
  if not recreates or not is_another_log() then return { 'nogroup' } end
  call('XGROUP', 'CREATE', log, group, '0', 'MKSTREAM')
  status, counts[1], has_all_counts[1] = 'recreated', {}, true
elseif problem then
  return problem
end

-- The wrong type is an error here, before any change.
call('XLEN', dead_letters)
local has_waits = call('HLEN', waits) > 0

if overtaken then overtake() end

-- There are redriven entries only while there is a stream of them. All that it has is still to be handled.
local streams = { log }
if call('EXISTS', retries) == 1 then
  problem = look_up(2)
  if is_missing(problem) then
    call('XGROUP', 'CREATE', retries, group, '0')
  elseif problem then
    return problem
  end
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

-- Entries that are settled, gone, or begun do not wait any more.
local function end_waits(stream, ids)
  if not has_waits or #ids == 0 then return end
  local fields = {}
  for at, id in ipairs(ids) do fields[at] = stream .. ':' .. id end
  call('HDEL', waits, unpack(fields))
end

-- A redriven entry is in no other group, so it goes when it is settled.
local function settle(stream, ...)
  end_waits(stream, { ... })
  call('XACK', streams[stream], group, ...)
  if stream == 2 then call('XDEL', retries, ...) end
end

-- Claims entries that exist. With JUSTID, XCLAIM leaves the count as it is, unless RETRYCOUNT sets it.
local function claim_existing(stream, ids, ...)
  local arguments = { unpack(ids) }
  for _, option in ipairs({ ... }) do arguments[#arguments + 1] = option end
  arguments[#arguments + 1] = 'JUSTID'
  call('XCLAIM', streams[stream], group, consumer, 0, unpack(arguments))
end

-- Claims entries, and returns which do not exist any more. These stay pending until they are reported: this reply can be
-- lost. So XCLAIM, which would drop them, does not see them.
local function claim(stream, ids, ...)
  local existing, gone = {}, {}
  for _, id in ipairs(ids) do
    if fields_of(stream, id) then existing[#existing + 1] = id else gone[id] = 'trimmed' end
  end
  if #existing > 0 then claim_existing(stream, existing, ...) end
  return gone
end

local function bury(stream, id, count, why)
  local fields = fields_of(stream, id)
  if not fields then return 'trimmed' end
  local source_id, redrives, first = id, '0', 1
  if stream == 2 then source_id, redrives, first = fields[2], fields[4], 5 end
  local time = call('TIME')
  local history = {
    '::log', log, '::id', source_id, '::group', group, '::consumer', consumer,
    '::deliveries', count, '::redrives', redrives, '::error', why,
    '::time', time[1] .. string.format('%03d', math.floor(time[2] / 1000)),
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
end

-- Waits are kept for whoever has the entry when this worker has ended. All of them are over when their key expires.

local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function wait(stream, ids, time)
  local due = string.format('%.0f', now() + time)
  for _, id in ipairs(ids) do
    -- If the server is out of memory, this worker waits all the same.
    redis.pcall('HSET', waits, stream .. ':' .. id, due)
  end
  has_waits = true
  if call('PTTL', waits) < time then call('PEXPIRE', waits, time) end
end

local function wait_of(stream, id)
  local due = has_waits and call('HGET', waits, stream .. ':' .. id)
  -- Others can write anything. The longest wait of a worker ends before the year 2200, which has 13 digits.
  if not due or not string.find(due, '^%d+$') or #due > 13 then return 0 end
  return math.max(0, tonumber(due) - now())
end

-- These return the outcomes that are not that it is done, by id.
local has_given_up = false
local OPERATIONS = {
  start = function(stream, ids, count)
    if count > 0 then end_waits(stream, ids) end
    return claim(stream, ids, 'RETRYCOUNT', count + 1)
  end,
  ack = function(stream, ids) settle(stream, unpack(ids)) end,
  dead = function(stream, ids, count, why) return { [ids[1]] = bury(stream, ids[1], count, why) } end,
  wait = function(stream, ids, _, time) wait(stream, ids, tonumber(time)) end,
  -- Others may take it at once: it has been idle for a day.
  release = function(stream, ids)
    has_given_up = true
    return claim(stream, ids, 'IDLE', 86400000)
  end,
}

for _ = 1, take_number() do
  local stream, id = take_number(), take()
  if streams[stream] and not fields_of(stream, id) then settle(stream, id) end
end

local held, held_ids = { {}, {} }, {}
for _ = 1, take_number() do
  local stream, id = take_number(), take()
  table.insert(held[stream], id)
  held_ids[stream .. id] = true
end

local not_own, outcomes, number = {}, {}, 0
for _ = 1, take_number() do
  local what, stream, count, may_be_started, detail = take(), take_number(), take_number(), take() == '1', take()
  local own, numbers = {}, {}
  for _ = 1, take_number() do
    local id = take()
    number = number + 1
    local stored = count_of(stream, id)
    -- The reply to the same start may have been lost.
    if stored == count or may_be_started and stored == count + 1 then
      own[#own + 1] = id
      numbers[id] = number
    else
      not_own[#not_own + 1] = number
    end
  end
  local odd = #own > 0 and OPERATIONS[what](stream, own, count, detail) or {}
  for id, outcome in pairs(odd) do outcomes[#outcomes + 1] = { numbers[id], outcome } end
end

-- Workers of this group listen to this channel, and to no purpose nobody does. Who may not publish has given them up
-- all the same.
if has_given_up and announces then redis.pcall('PUBLISH', retries, 'released') end

-- What the worker holds: it stays pending with this consumer, however long it takes.

local lost, trimmed = {}, {}

local function beat(stream)
  if #held[stream] == 0 then return end
  local is_own, ids = {}, {}
  for _, pending in ipairs(own_pending(stream)) do is_own[pending[1]] = capped(pending[4]) end
  for _, id in ipairs(held[stream]) do
    if is_own[id] then ids[#ids + 1] = id else lost[#lost + 1] = { stream, id } end
  end
  if #ids == 0 then return end
  for id in pairs(claim(stream, ids)) do trimmed[#trimmed + 1] = { stream, id, consumer, is_own[id] } end
end

for stream = 1, 2 do
  if streams[stream] then
    beat(stream)
  else
    for _, id in ipairs(held[stream]) do lost[#lost + 1] = { stream, id } end
  end
end

-- More entries: those of dead workers, those whose delivery was lost, redriven ones, new ones.

local entries, new = {}, {}

local QUEUED, STARTED, ADOPTED = 0, 1, 2

-- There can be more than a reply has room for. The next ones are reported when these are settled.
local MOST_TRIMMED = 1000
local is_reported = {}

local function report_trimmed(stream, id, from, count)
  if is_reported[stream .. id] or #trimmed >= MOST_TRIMMED then return end
  is_reported[stream .. id] = true
  trimmed[#trimmed + 1] = { stream, id, from, count }
end

local function take_pending(stream, pending, is_adopted)
  local id, from, count = pending[1], pending[2], capped(pending[4])
  if wanted <= 0 or held_ids[stream .. id] then return end
  local fields = fields_of(stream, id)
  if not fields then return report_trimmed(stream, id, from, count) end
  local time = count > 0 and wait_of(stream, id) or 0
  local state = QUEUED
  -- What waits was not started since.
  if time == 0 and is_adopted then
    state = ADOPTED
  elseif time == 0 and starting > 0 and count < most_starts then
    state = STARTED
  end
  if state == STARTED then
    count, starting = count + 1, starting - 1
    claim_existing(stream, { id }, 'RETRYCOUNT', count)
  else
    claim_existing(stream, { id })
  end
  wanted = wanted - 1
  entries[#entries + 1] = { stream, id, count, state, from, not hides_fields and fields, time }
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
  local found = read and read[1][2] or {}
  local started = math.min(math.max(starting, 0), #found)
  local ids = {}
  for at, entry in ipairs(found) do ids[at] = entry[1] end
  -- A group that was created again, or set back, may have waited for them before.
  end_waits(stream, ids)
  -- XREADGROUP has set all counts to 1.
  if started < #ids then claim_existing(stream, { unpack(ids, started + 1) }, 'RETRYCOUNT', 0) end
  for _, entry in ipairs(hides_fields and found or {}) do entry[2] = false end
  wanted, starting = wanted - #found, starting - started
  new[#new + 1] = { stream, started, found }
end

local missed, removed, first = -1, 0, known_first

-- Counts what was trimmed before it was delivered. It is to be reported before more is read: then the server counts on
-- from there. Servers differ in whether they notice it themselves, so they are told.
local function count_missed(facts)
  local last, read = progress_of(log, group)
  if reported and read and reported > read then
    set_progress(log, group, last, reported)
    read = reported
  end
  if not read and last == facts.last and facts.added then
    -- The group was created at the end of the log.
    set_progress(log, group, last, facts.added)
    read = facts.added
  end
  missed, removed = missed_by(log, facts, last, read)
end

-- Reads new entries of the log. As long as an entry after the last delivery was deleted, the server does not say how many
-- the group has read, so it is told: then a later loss is still noticed.
local function read_log(facts)
  -- Otherwise, none was deleted.
  local is_counted_here = facts.added and facts.removed ~= '0-0'
  local before
  if is_counted_here then before = select(2, progress_of(log, group)) end
  take_new(1)
  local taken = new[#new] and new[#new][1] == 1 and #new[#new][3] or 0
  if not before or taken == 0 then return end
  local last, read = progress_of(log, group)
  -- At the end of the log, whatever is not read was deleted.
  local counted = last == facts.last and facts.added or before + taken
  if not read or read < counted then set_progress(log, group, last, counted) end
end

if wanted > 0 then
  local facts = facts_of(log)
  first = facts.first
  -- While its first entry is the same, nothing was trimmed.
  if reported or first ~= known_first then count_missed(facts) end
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
  for stream = #streams, 1, -1 do
    if stream == 2 then take_new(2) elseif missed <= 0 then read_log(facts) end
  end
end

if streams[2] and call('XLEN', retries) == 0 then call('DEL', retries) end

return { status, not_own, outcomes, lost, trimmed, entries, new, missed, removed, first }
