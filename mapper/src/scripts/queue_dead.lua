-- Reads dead jobs of a work queue; `queue.lua` describes the keys.
--
-- KEYS: the jobs, the ids of the dead
-- ARGV: the position of the first one and of the last one, those that died first before the others
--
-- Returns for each job: its id, since when it is dead in ms, its element, how many attempts it had, and for each failed
-- attempt that is known its number and a text. No element has the length `-`.

local call = redis.call
local HISTORY = 20

local function text_of(text)
  return #text .. ':' .. text
end

local texts = {}
local function add(text)
  texts[#texts + 1] = text and text_of(text) or '-:'
end

local ids = call('ZRANGE', KEYS[2], ARGV[1], ARGV[2], 'WITHSCORES')
for at = 1, #ids, 2 do
  local id = ids[at]
  local all = tonumber(call('HGET', KEYS[1], id .. ':n') or '0')
  add(id)
  add(ids[at + 1])
  add(call('HGET', KEYS[1], id))
  add(string.format('%.0f', all))
  local numbers, known = {}, {}
  for attempt = math.max(1, all - HISTORY + 1), all do
    local number = string.format('%.0f', attempt)
    local failure = call('HGET', KEYS[1], id .. ':' .. number)
    if failure then
      numbers[#numbers + 1] = number
      known[#known + 1] = failure
    end
  end
  add(string.format('%.0f', #known))
  for position, failure in ipairs(known) do
    add(numbers[position])
    add(failure)
  end
end
return table.concat(texts)
