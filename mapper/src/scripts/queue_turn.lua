-- One request of a worker: it settles jobs, and reserves others.
--
-- KEYS: also the last turn of this worker that has reserved jobs, or that came after one in doubt; it expires
-- ARGV: also the number of this turn, and that of the last one whose reply the worker has read; why what it has
--   reserved since then is dead, or nothing to release it; how many jobs to reserve, for how long in ms, how many
--   attempts a job has, and the worker; and for each operation the six arguments of `settle`
--
-- Returns what became of the job of each operation; how many jobs died because of ARGV[4], and their ids; 1 if another
-- job waits that did not fit into the reply, or else 0; and what `reserve` returns.

local turn_key = KEYS[before_keys + 6]
local turn, last_read, why_dead = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local count, hold_for, max_attempts, worker = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local OPERATIONS = 9

-- A request that the worker has given up may arrive so much later, in ms. TCP itself gives up after about 15 minutes.
local LATE = 20 * 60 * 1000

local last_turn, last_reserved = string.match(call('GET', turn_key) or '', '^(%d+) (.*)$')
last_turn = tonumber(last_turn or '0')
-- A later turn has overtaken this one, whose reply nobody waits for. It still settles: that does no harm.
local is_overtaken = last_turn >= turn
if is_overtaken then last_turn, count = 0, 0 end
-- An earlier turn may still be under way. It must know that it was overtaken, or it would reserve jobs for nobody.
local overtakes = not is_overtaken and turn > last_read + 1

local outcome = {}
for at = OPERATIONS, #ARGV, 6 do
  outcome[#outcome + 1] = settle(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])[1]
end

-- What was reserved by a turn whose reply was lost.
local unseen, died = {}, {}
if last_turn > last_read then
  for id, reservation in string.gmatch(last_reserved, '(%d+) (%d+)') do
    if holder_of(id) == reservation then unseen[#unseen + 1] = {id, reservation} end
  end
end
-- Each is put before the others, so that the first one is the first again.
for at = #unseen, 1, -1 do
  local id, reservation = unseen[at][1], unseen[at][2]
  if why_dead == '' then
    settle(id, reservation, 'release')
  else
    settle(id, reservation, 'nack', '0', '0', why_dead)
    died[#died + 1] = id
  end
end
outcome[#outcome + 1] = #died
for _, id in ipairs(died) do outcome[#outcome + 1] = id end

local jobs_reserved, is_more = {now}, false
if count > 0 then jobs_reserved, is_more = reserve(count, hold_for, max_attempts, worker) end
outcome[#outcome + 1] = is_more and 1 or 0
local numbers = {}
for at, value in ipairs(jobs_reserved) do
  outcome[#outcome + 1] = value
  if at % 4 == 2 then numbers[#numbers + 1] = value .. ' ' .. jobs_reserved[at + 1] end
end
if overtakes or #numbers > 0 then
  -- What turns before this one have to know, they have to know for as long as before.
  local keep_for = math.max(hold_for, call('PTTL', turn_key), overtakes and LATE or 0)
  allow_growth()
  call('SET', turn_key, text_of(turn) .. ' ' .. table.concat(numbers, ' '), 'PX', text_of(keep_for))
end
return finish(outcome)
