-- A full write of a record without indexes that depends on whether the record exists.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the record
-- ARGV: how long to keep the outcome in ms, whether the record must exist (1 or 0), its time to live (ms, `keep` or
--   `persist`), the number of names and texts of fields, these, and the names of the fields to remove
--
-- Returns 1, or 0 if nothing was written.

local call = redis.call

local keep_outcome_for, must_exist, lifetime = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local record, outcome_key = KEYS[1], nil
if keep_outcome_for ~= '0' then
  outcome_key, record = KEYS[1], KEYS[2]
  local outcome = call('GET', outcome_key)
  if outcome then return tonumber(outcome) end
end

local function finish(outcome)
  if outcome_key then call('SET', outcome_key, outcome, 'PX', keep_outcome_for) end
  return outcome
end

-- HLEN, not EXISTS: a key of another type is an error.
local exists = call('HLEN', record) > 0 and 1 or 0
if exists ~= must_exist then return finish(0) end

-- `unpack` fails at 8,000 values.
local function call_in_chunks(command, first, last)
  for start = first, last, 4000 do
    call(command, record, unpack(ARGV, start, math.min(start + 3999, last)))
  end
end

local set_end = 4 + tonumber(ARGV[4])
call_in_chunks('HSET', 5, set_end)
call_in_chunks('HDEL', set_end + 1, #ARGV)
if lifetime == 'persist' then
  call('PERSIST', record)
elseif lifetime ~= 'keep' then
  call('PEXPIRE', record, lifetime)
end
return finish(1)
