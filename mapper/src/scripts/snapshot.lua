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
local origin = origin_of(log)
local stored = tonumber(call('HGET', snapshot, 'version') or '')
-- A snapshot from the future, or of a log that was deleted, does not count.
if stored and stored <= last and (origin == '' or call('HGET', snapshot, 'origin') == origin) then
  if stored > version or stored == version and not replaces then return 0 end
end
call('HSET', snapshot, 'version', ARGV[1], 'schema', schema, 'state', state, 'checksum', checksum, 'origin', origin)
return 1
