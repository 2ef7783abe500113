//! Commands of every method that writes, with what is there before them and what there is to be seen after them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis_model::redis_rest::commands::bitmap::{Bit, BitField, BitOperation, BitType};
use redis_model::redis_rest::commands::expiry::{ExpireCondition, Expiry, GetExpiry};
use redis_model::redis_rest::commands::flush::FlushMode;
use redis_model::redis_rest::commands::generic::{CopyOptions, RestoreOptions};
use redis_model::redis_rest::commands::geo::{
    Coordinates, GeoAddOptions, GeoFrom, GeoRadius, GeoSearch, GeoShape, GeoStore, GeoUnit,
};
use redis_model::redis_rest::commands::hash::HSetExOptions;
use redis_model::redis_rest::commands::json::JsonSetCondition;
use redis_model::redis_rest::commands::list::{ListPlace, ListSide};
use redis_model::redis_rest::commands::sorted_set::{LexRange, ZAddOptions, ZCombineOptions, ZEnd, ZRange};
use redis_model::redis_rest::commands::stream::{
    GroupPosition, GroupStart, NewId, RefPolicy, StreamId, Trim, XAddOptions, XClaimOptions, XGroupCreateOptions,
    XReadGroupOptions,
};
use redis_model::redis_rest::commands::string::SetOptions;
use redis_model::redis_rest::{
    BitmapCommands as _, Build, Command, Executor as _, FromReply as _, FunctionCommands as _, GenericCommands as _,
    GeoCommands as _, HashCommands as _, HyperLogLogCommands as _, JsonCommands as _, ListCommands as _,
    PubSubCommands as _, Script, ScriptingCommands as _, ServerCommands as _, SetCommands as _, SortedSetCommands as _,
    StreamCommands as _, StringCommands as _, Value,
};

const NONE: [&str; 0] = [];
const HOUR: Duration = Duration::from_secs(3600);

/// A time that is the same for both servers.
fn later() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(4_000_000_000)
}

fn any<R>(command: Command<R>) -> Command<Value> {
    command.decode_with(Value::from_reply)
}

const fn id(millis: u64) -> StreamId {
    StreamId::new(millis, 0)
}

/// What is there before each command.
pub(crate) fn setup() -> Vec<Command<Value>> {
    let entry = |millis| Build.xadd_with("stream", [("n", millis)], XAddOptions::new().id(NewId::Exact(id(millis))));
    vec![
        any(Build.flushall_with(FlushMode::Sync)),
        any(Build.script_flush_with(FlushMode::Sync)),
        any(Build.function_flush_with(FlushMode::Sync)),
        any(Build.acl_deluser(["somebody"])),
        any(Build.config_set([("slowlog-max-len", 128)])),
        any(Build.set("string", 5)),
        any(Build.set("text", "hello")),
        any(Build.rpush("list", ["a", "b", "c", "b"])),
        any(Build.hset("hash", [("a", "1"), ("b", "x")])),
        any(Build.sadd("set", ["only"])),
        any(Build.zadd("zset", [(1.0, "a"), (2.0, "b"), (3.0, "c")])),
        any(Build.geoadd("geo", [(Coordinates { longitude: 13.0, latitude: 38.0 }, "p")])),
        any(Build.pfadd("hll", ["a", "b"])),
        any(Build.json_set("json", "$", serde_json::json!({"n": 1, "a": [1, 2], "b": true, "s": "x"}))),
        any(entry(1)),
        any(entry(2)),
        any(Build.xgroup_create("stream", "group", GroupStart::Beginning)),
        any(Build.xreadgroup::<Value, Value>(
            "group",
            "other",
            [("stream", GroupPosition::New)],
            XReadGroupOptions::new().count(1),
        )),
        any(Build.hexpire("hash", HOUR, ["b"])),
        any(Build.function_load_replace(LIBRARY)),
    ]
}

/// After how many hours what expires does so: a second more or less is no difference.
const EXPIRY: &str = "local left = redis.call('HTTL', KEYS[2], 'FIELDS', 2, 'a', 'b')
if type(left) ~= 'table' then left = {} end table.insert(left, redis.call('TTL', KEYS[1]))
for at, seconds in ipairs(left) do left[at] = math.floor((tonumber(seconds) + 1800) / 3600) end return left";

/// What is pending, without since when.
const PENDING: &str = "local pending = redis.call('XPENDING', KEYS[1], 'group', '-', '+', 10)
for _, entry in ipairs(pending) do entry[3] = 0 end return pending";

const LIBRARY: &str = "#!lua name=cuts
redis.register_function('bump', function(keys) return redis.call('INCR', keys[1]) end)";

/// All that there is to be seen of the data.
pub(crate) fn looks() -> Vec<Command<Value>> {
    let keys = ["string", "text", "new", "hll", "moved"];
    let mut looks: Vec<_> = keys.into_iter().map(|key| any(Build.get::<Value>(key))).collect();
    looks.extend([
        any(Build.lrange::<Value>("list", 0, -1)),
        any(Build.lrange::<Value>("other", 0, -1)),
        any(Build.hmget::<Value>("hash", ["a", "b", "c"])),
        any(Build.smembers::<Value>("set")),
        any(Build.smembers::<Value>("other-set")),
        any(Build.execute::<Value>(["ZRANGE", "zset", "0", "-1", "WITHSCORES"])),
        any(Build.execute::<Value>(["ZRANGE", "geo", "0", "-1", "WITHSCORES"])),
        any(Build.execute::<Value>(["ZRANGE", "other-zset", "0", "-1", "WITHSCORES"])),
        any(Build.execute::<Value>(["JSON.GET", "json"])),
        any(Build.execute::<Value>(["JSON.GET", "new"])),
        any(Build.acl_getuser("somebody")),
        any(Build.execute::<Value>(["XRANGE", "stream", "-", "+"])),
        any(Build.execute::<Value>(["XPENDING", "stream", "group"])),
        any(Build.eval_ro::<Value>(PENDING, ["stream"], NONE)),
        any(Build.eval_ro::<Value>("return #redis.call('XINFO', 'CONSUMERS', KEYS[1], 'group')", ["stream"], NONE)),
        any(Build.eval_ro::<Value>(EXPIRY, ["string", "hash"], NONE)),
        // One list of both would be in no order.
        any(Build.function_list(Some("cuts"))),
        any(Build.function_list(Some("others"))),
        any(Build.dbsize()),
        any(Build.config_get(["slowlog-max-len"])),
    ]);
    looks
}

/// Every method that writes; `tests/coverage.rs` sees to that.
pub(crate) fn writes(dump: &[u8]) -> Vec<Command<Value>> {
    let place = Coordinates { longitude: 15.0, latitude: 37.0 };
    let nearby = || GeoSearch::new(GeoFrom::Member("p".into()), GeoShape::radius(9.0), GeoUnit::Kilometers);
    let script = Script::new("return redis.call('INCRBY', KEYS[1], 2)");
    let streams = [("stream", GroupPosition::New)];
    vec![
        // String.
        any(Build.append("text", "!")),
        any(Build.decrby("string", 2)),
        any(Build.getdel::<Value>("text")),
        any(Build.getset::<Value>("text", "new")),
        any(Build.incr("string")),
        any(Build.incrbyfloat("string", 0.5)),
        any(Build.mset([("string", 1), ("new", 2)])),
        any(Build.msetnx([("new", 1), ("moved", 2)])),
        any(Build.set("string", 9)),
        any(Build.set_with("new", 1, SetOptions::new().nx())),
        any(Build.set_get::<Value>("text", "new", SetOptions::new())),
        any(Build.setnx("new", 1)),
        any(Build.setrange("text", 2, "y")),
        any(Build.set_with("string", 1, SetOptions::new().expire(Expiry::seconds(3600)))),
        any(Build.decr("string")),
        any(Build.incrby("string", 4)),
        any(Build.getex::<Value>("string", GetExpiry::Expire(Expiry::seconds(3600)))),
        any(Build.psetex("string", HOUR, "v")),
        any(Build.setex("string", HOUR, "v")),
        // Generic.
        any(Build.copy("text", "new")),
        any(Build.del(["text", "list"])),
        any(Build.expire("string", Duration::from_secs(3600))),
        any(Build.persist("string")),
        any(Build.rename("text", "moved")),
        any(Build.renamenx("text", "moved")),
        any(Build.touch(["text", "none"])),
        any(Build.unlink(["text"])),
        any(Build.copy_with("text", "string", CopyOptions::new().replace())),
        any(Build.expire_with("string", HOUR, ExpireCondition::Nx)),
        any(Build.expireat("string", later())),
        any(Build.expireat_with("string", later(), ExpireCondition::Nx)),
        any(Build.pexpire("string", HOUR)),
        any(Build.pexpire_with("string", HOUR, ExpireCondition::Nx)),
        any(Build.pexpireat("string", later())),
        any(Build.pexpireat("string", UNIX_EPOCH + HOUR)),
        any(Build.pexpireat_with("string", later(), ExpireCondition::Nx)),
        any(Build.restore("new", dump, RestoreOptions::new())),
        // List.
        any(Build.linsert("list", ListPlace::Before, "b", "x")),
        any(Build.lmove::<Value>("list", "other", ListSide::Left, ListSide::Right)),
        any(Build.lpop::<Value>("list")),
        any(Build.lpush("list", ["x"])),
        any(Build.lrem("list", 1, "b")),
        any(Build.lset("list", 0, "x")),
        any(Build.ltrim("list", 1, -1)),
        any(Build.rpush("list", ["x", "y"])),
        any(Build.lmpop::<Value, Value>(["none", "list"], ListSide::Left, 2)),
        any(Build.lpop_count::<Value>("list", 2)),
        any(Build.lpushx("list", ["x"])),
        any(Build.rpop::<Value>("list")),
        any(Build.rpop_count::<Value>("list", 2)),
        any(Build.rpoplpush::<Value>("list", "other")),
        any(Build.rpushx("list", ["x"])),
        // Hash.
        any(Build.hdel("hash", ["a"])),
        any(Build.hgetdel::<Value>("hash", ["a"])),
        any(Build.hincrby("hash", "a", 3)),
        any(Build.hset("hash", [("c", "1")])),
        any(Build.hsetex("hash", [("c", 1)], HSetExOptions::new().fnx())),
        any(Build.hsetnx("hash", "c", 1)),
        any(Build.hexpire("hash", 2 * HOUR, ["a", "b"])),
        any(Build.hexpire_with("hash", HOUR, ["a"], ExpireCondition::Nx)),
        any(Build.hexpireat("hash", later(), ["a"])),
        any(Build.hexpireat_with("hash", later(), ["a"], ExpireCondition::Nx)),
        any(Build.hpexpire("hash", 2 * HOUR, ["a"])),
        any(Build.hpexpire_with("hash", HOUR, ["a"], ExpireCondition::Nx)),
        any(Build.hpexpireat("hash", later(), ["a"])),
        any(Build.hpexpireat("hash", UNIX_EPOCH + HOUR, ["a"])),
        any(Build.hpexpireat_with("hash", later(), ["a"], ExpireCondition::Nx)),
        any(Build.hgetex::<Value>("hash", ["a", "b"], GetExpiry::Persist)),
        any(Build.hincrbyfloat("hash", "a", 0.5)),
        any(Build.hmset("hash", [("a", 7), ("c", 8)])),
        any(Build.hpersist("hash", ["b"])),
        // Set.
        any(Build.sadd("set", ["x"])),
        any(Build.smove("set", "other-set", "only")),
        any(Build.spop::<Value>("set")),
        any(Build.srem("set", ["only"])),
        any(Build.sunionstore("other-set", ["set"])),
        any(Build.sdiffstore("other-set", ["set", "none"])),
        any(Build.sinterstore("other-set", ["set"])),
        any(Build.spop_count::<Value>("set", 3)),
        // Sorted set.
        any(Build.zadd("zset", [(9.0, "x")])),
        any(Build.zincrby("zset", 2.0, "a")),
        any(Build.zpopmin::<Value>("zset", 1)),
        any(Build.zrangestore("other-zset", "zset", ZRange::rank(0, 1))),
        any(Build.zrem("zset", ["a"])),
        any(Build.zremrangebyrank("zset", 0, 0)),
        any(Build.zmpop::<Value, Value>(["zset"], ZEnd::Max, 1)),
        any(Build.zadd_with("zset", [(7.0, "a"), (8.0, "x")], ZAddOptions::new().ch())),
        any(Build.zadd_incr("zset", 2.0, "a", ZAddOptions::new())),
        any(Build.zdiffstore("other-zset", ["zset", "none"])),
        any(Build.zinterstore("other-zset", ["zset"], ZCombineOptions::new())),
        any(Build.zpopmax::<Value>("zset", 2)),
        any(Build.zremrangebylex("zset", LexRange::all())),
        any(Build.zremrangebyscore("zset", ..=1.5)),
        any(Build.zunionstore("other-zset", ["zset"], ZCombineOptions::new())),
        // Geo, bitmap, HyperLogLog.
        any(Build.geoadd("geo", [(place, "q")])),
        any(Build.geosearchstore("other-zset", "geo", nearby(), GeoStore::Hash)),
        any(Build.setbit("string", 9, Bit::One)),
        any(Build.bitfield("string", BitField::new().incr_by(BitType::unsigned(8), 0, 7))),
        any(Build.bitop(BitOperation::Not, "new", ["text"])),
        any(Build.pfadd("hll", ["c"])),
        any(Build.pfmerge("new", ["hll"])),
        any(Build.geoadd_with("geo", [(place, "p")], GeoAddOptions::new().ch())),
        any(Build.georadius_store(
            "geo",
            place,
            GeoRadius::new(900.0, GeoUnit::Kilometers),
            GeoStore::Hash,
            "other-zset",
        )),
        any(Build.georadiusbymember_store(
            "geo",
            "p",
            GeoRadius::new(9.0, GeoUnit::Kilometers),
            GeoStore::Hash,
            "other-zset",
        )),
        // JSON.
        any(Build.json_arrappend("json", "$.a", [3])),
        any(Build.json_del("json", "$.a")),
        any(Build.json_merge("json", "$", serde_json::json!({"m": 1}))),
        any(Build.json_merge("new", "$", serde_json::json!({"m": 1, "n": null}))),
        any(Build.json_mset([("json", "$.n", 8), ("new", "$", 9)])),
        any(Build.json_set("json", "$..n", serde_json::json!({"n": 1}))),
        any(Build.json_set("json", "$.a[?(@==2)]", 3)),
        any(Build.json_numincrby::<serde_json::Value>("json", "$.n", 2)),
        any(Build.json_set("json", "$.n", 7)),
        any(Build.json_toggle("json", "$.b")),
        any(Build.json_arrinsert("json", "$.a", 0, [9])),
        any(Build.json_arrpop::<serde_json::Value>("json", "$.a", 0)),
        any(Build.json_arrtrim("json", "$.a", 1, 1)),
        any(Build.json_clear("json", "$.a")),
        any(Build.json_forget("json", "$.a")),
        any(Build.json_nummultby::<serde_json::Value>("json", "$.n", 3)),
        any(Build.json_set_with("json", "$.new", 1, JsonSetCondition::Nx)),
        any(Build.json_strappend("json", "$.s", "y")),
        // Streams.
        any(Build.xadd_with("stream", [("n", 5)], XAddOptions::new().id(NewId::At(5)))),
        any(Build.xdel("stream", [id(1)])),
        any(Build.xgroup_destroy("stream", "group")),
        any(Build.xgroup_setid("stream", "group", GroupStart::After(id(1)))),
        any(Build.xreadgroup::<Value, Value>("group", "me", streams, XReadGroupOptions::new())),
        any(Build.xtrim("stream", Trim::max_len(1))),
        any(Build.xack("stream", "group", [id(1)])),
        any(Build.xackdel("stream", "group", [id(1)], RefPolicy::Acked)),
        any(Build.xautoclaim::<Value>("stream", "group", "me", Duration::ZERO, StreamId::MIN, None)),
        any(Build.xautoclaim_justid("stream", "group", "me", Duration::ZERO, StreamId::MIN, None)),
        any(Build.xclaim::<Value>("stream", "group", "me", Duration::ZERO, [id(1)], XClaimOptions::new())),
        any(Build.xclaim_justid("stream", "group", "me", Duration::ZERO, [id(1)], XClaimOptions::new())),
        any(Build.xdelex("stream", [id(1)], RefPolicy::Delete)),
        any(Build.xgroup_create_mkstream("new", "group", GroupStart::Beginning)),
        any(Build.xgroup_create_with("new", "group", GroupStart::Beginning, XGroupCreateOptions::new().mkstream())),
        any(Build.xgroup_setid_entriesread("stream", "group", GroupStart::After(id(1)), 1)),
        any(Build.xgroup_createconsumer("stream", "group", "me")),
        any(Build.xgroup_delconsumer("stream", "group", "other")),
        // Scripting, functions, publishing, the server.
        any(Build.eval::<Value>("return redis.call('INCR', KEYS[1])", ["string"], NONE)),
        any(Build.run_script::<Value>(script.key("string"))),
        any(Build.fcall::<Value>("bump", ["string"], NONE)),
        any(Build.script_load("return 7")),
        any(Build.script_flush_with(FlushMode::Sync)),
        any(Build.script_flush()),
        any(Build.function_delete("cuts")),
        any(Build.function_load(LIBRARY.replace("cuts", "others").replace("bump", "raise"))),
        any(Build.function_load_replace(LIBRARY)),
        any(Build.function_flush_with(FlushMode::Sync)),
        any(Build.function_flush()),
        any(Build.publish("nobody", "hears")),
        any(Build.acl_deluser(["nobody"])),
        any(Build.acl_log_reset()),
        any(Build.flushall_with(FlushMode::Sync)),
        any(Build.config_set([("slowlog-max-len", 77)])),
        any(Build.acl_setuser("somebody", ["on", "+get", "(+set ~log:*)"])),
        any(Build.flushdb_with(FlushMode::Sync)),
        any(Build.flushdb()),
        any(Build.flushall()),
    ]
}
