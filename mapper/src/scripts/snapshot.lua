-- Writes a snapshot, unless the one that is stored is newer.
--
-- KEYS: the snapshot, the log
-- ARGV: the version, the schema, the state, the checksum, whether to replace a snapshot of the same version (1 or 0)

local call = redis.call
local snapshot, log = KEYS[1], KEYS[2]
local version, schema, state, checksum, replaces = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'

local last = version_of(facts_of(log))
-- The log was deleted since the state was loaded.
if not last or version > last then return 0 end
local stored = tonumber(call('HGET', snapshot, 'version') or '')
-- A snapshot from the future does not count.
if stored and stored <= last then
  if stored > version or stored == version and not replaces then return 0 end
end
call('HSET', snapshot, 'version', ARGV[1], 'schema', schema, 'state', state, 'checksum', checksum)
return 1
