-- Moves dead letters of a group back: each is then in the stream that only this group reads, or still a dead letter.
--
-- KEYS: the key of the outcome if ARGV[1] is not 0, the dead-letter stream, the stream of redriven entries
-- ARGV: how long to keep the outcome in ms, the group, the key of the log, where to begin, how many to move, `1` to
-- publish
--
-- The reply is how many were moved, a space, and the id to go on after, or nothing at the end. Several groups and logs
-- may share a dead-letter stream, so a call looks at no more than 500 entries.

local call = redis.call
local at = ARGV[1] == '0' and 0 or 1

if at == 1 then
  local outcome = call('GET', KEYS[1])
  if outcome then return outcome end
end

local dead_letters, retries = KEYS[at + 1], KEYS[at + 2]
local group, log, start, most, publishes = unpack(ARGV, 2, 6)
most = tonumber(most)

-- The wrong type is an error here, before any change.
call('XLEN', retries)

local NAMES = { '::log', '::id', '::group', '::consumer', '::deliveries', '::redrives', '::error', '::time' }

-- Returns whether fields are those of a dead letter of the group and the log. Other programs can add others.
local function is_own(fields)
  for number, name in ipairs(NAMES) do
    if fields[2 * number - 1] ~= name then return false end
  end
  return fields[2] == log and fields[6] == group and string.match(fields[4], '^%d+%-%d+$') and tonumber(fields[12])
      and #fields > 2 * #NAMES
end

local moved, last, newest, seen = 0, nil, nil, call('XRANGE', dead_letters, start, '+', 'COUNT', 500)
for _, letter in ipairs(seen) do
  if moved == most then break end
  local id, fields = letter[1], letter[2]
  last = id
  if is_own(fields) then
    local redrives = string.format('%.0f', tonumber(fields[12]) + 1)
    newest = call('XADD', retries, '*', '::id', fields[4], '::redrives', redrives, unpack(fields, 17))
    call('XDEL', dead_letters, id)
    moved = moved + 1
  end
end

if moved > 0 then
  -- Most often the group is new. If it is not, the error is that it exists.
  redis.pcall('XGROUP', 'CREATE', retries, group, '0')
  -- A message is a hint. Who may not publish has moved them all the same.
  if publishes == '1' then redis.pcall('PUBLISH', retries, newest) end
end

local is_over = #seen < 500 and last == (#seen > 0 and seen[#seen][1] or nil)
local outcome = moved .. ' ' .. (is_over and '' or last or '')
if at == 1 then call('SET', KEYS[1], outcome, 'PX', ARGV[1]) end
return outcome
