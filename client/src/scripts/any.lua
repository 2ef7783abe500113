-- Runs commands and keeps their replies, so that a repetition of the request returns these and runs nothing.
--
-- KEYS[1]: where the replies are kept. The keys of the commands follow.
-- ARGV[1]: for how many milliseconds. Each command follows: the number of its arguments, then these, its name first.
-- Returns an array with the reply to each command, as RESP2 text: a text can be kept, and the client decodes it like any
-- other reply.

local once, keep = KEYS[1], ARGV[1]

-- Numbers of Lua are doubles: from here on, another integer can have the same double.
local IMPRECISE = 2 ^ 53

local function integer(number)
  if number >= IMPRECISE or number <= -IMPRECISE then
    return '-IMPRECISE integer\r\n'
  end
  return string.format(':%.0f\r\n', number)
end

-- Calls itself for the items of an array, so it is declared first.
local resp2

local function array(items)
  local parts = { '*' .. #items .. '\r\n' }
  for at = 1, #items do
    parts[at + 1] = resp2(items[at])
  end
  return table.concat(parts)
end

function resp2(reply)
  local kind = type(reply)
  if kind == 'number' then return integer(reply) end
  if kind == 'string' then return '$' .. #reply .. '\r\n' .. reply .. '\r\n' end
  -- Nil arrives as false.
  if kind == 'boolean' then return '$-1\r\n' end
  if reply.ok then return '+' .. reply.ok .. '\r\n' end
  if reply.err then return '-' .. reply.err .. '\r\n' end
  return array(reply)
end

local kept = redis.call('GET', once)
if kept then return kept end

local replies = {}
local at = 2
while ARGV[at] do
  local last = at + tonumber(ARGV[at])
  -- As in a transaction, the commands after one that fails run nevertheless.
  replies[#replies + 1] = redis.pcall(unpack(ARGV, at + 1, last))
  at = last + 1
end

-- Errors are kept too: an attempt that arrives late must not succeed after the caller was told that the command failed.
local outcome = array(replies)
redis.call('SET', once, outcome, 'PX', keep)
return outcome
