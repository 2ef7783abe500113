-- Whether a stream can take more entries. A part of other scripts. It follows stream_facts.lua.

-- Returns whether a stream has ids for so many more entries. After the greatest one, XADD refuses each. They are
-- compared by parts of their digits: Lua's numbers are exact up to 2^53. A key of another type is an error.
local function has_room(stream, count)
  redis.call('XLEN', stream)
  -- A user may be denied XINFO. The last id is the only thing that is not checked then.
  local is_known, facts = pcall(facts_of, stream)
  local sequence = is_known and string.match(facts.last, '^18446744073709551615%-(%d+)$')
  if not sequence or #sequence < 20 then return true end
  return tonumber(string.sub(sequence, 1, 8)) < 18446744 or tonumber(string.sub(sequence, 9)) + count <= 73709551615
end
