//! Random cuts, for the writing commands of every family: whatever breaks, what a user is told is what has become of the
//! data. A second server, to which nothing happens, says what once is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis_model::redis_rest::{
    BitField, BitOperation, BitType, BitmapCommands as _, Build, Command, Coordinates, ErrorKind, Executor as _,
    Expiry, FlushMode, FromReply as _, FunctionCommands as _, GenericCommands as _, GeoCommands as _, GeoFrom,
    GeoSearch, GeoShape, GeoStore, GeoUnit, GroupPosition, GroupStart, HSetExOptions, HashCommands as _,
    HyperLogLogCommands as _, JsonCommands as _, ListCommands as _, ListPlace, ListSide, NewId, PubSubCommands as _,
    RawCommands as _, Redis, Result, RetryPolicy, Script, ScriptingCommands as _, ServerCommands as _,
    SetCommands as _, SetOptions, SortedSetCommands as _, StreamCommands as _, StreamId, StringCommands as _, Trim,
    Value, XAddOptions, XReadGroupOptions, ZEnd, ZRange,
};
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::{ENCODINGS, Stack, own_stack};

const CUTS: u64 = 1000;
const NONE: [&str; 0] = [];

fn any<R>(command: Command<R>) -> Command<Value> {
    command.decode_with(Value::from_reply)
}

const fn id(millis: u64) -> StreamId {
    StreamId::new(millis, 0)
}

/// What is there before each command.
fn setup() -> Vec<Command<Value>> {
    let entry = |millis| Build.xadd_with("stream", XAddOptions::new().id(NewId::Exact(id(millis))), [("n", millis)]);
    vec![
        any(Build.flushall(FlushMode::Sync)),
        any(Build.script_flush(FlushMode::Sync)),
        any(Build.acl_deluser(["somebody"])),
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
        any(Build.xgroup_create("stream", "group", GroupStart::Beginning, false)),
        any(Build.function_load(LIBRARY, true)),
    ]
}

const LIBRARY: &str = "#!lua name=cuts
redis.register_function('bump', function(keys) return redis.call('INCR', keys[1]) end)";

/// All that there is to be seen of the data.
fn looks() -> Vec<Command<Value>> {
    let keys = ["string", "text", "new", "hll", "moved"];
    let mut looks: Vec<_> = keys.into_iter().map(|key| any(Build.get::<Value>(key))).collect();
    looks.extend([
        any(Build.lrange::<Value>("list", 0, -1)),
        any(Build.lrange::<Value>("other", 0, -1)),
        any(Build.hgetall::<Value>("hash")),
        any(Build.smembers::<Value>("set")),
        any(Build.smembers::<Value>("other-set")),
        any(Build.execute::<Value>(["ZRANGE", "zset", "0", "-1", "WITHSCORES"])),
        any(Build.execute::<Value>(["ZRANGE", "geo", "0", "-1", "WITHSCORES"])),
        any(Build.execute::<Value>(["ZRANGE", "other-zset", "0", "-1", "WITHSCORES"])),
        any(Build.execute::<Value>(["JSON.GET", "json"])),
        any(Build.execute::<Value>(["JSON.GET", "new"])),
        any(Build.acl_getuser("somebody").decode_with(Value::from_reply)),
        any(Build.execute::<Value>(["XRANGE", "stream", "-", "+"])),
        any(Build.execute::<Value>(["XPENDING", "stream", "group"])),
        any(Build.execute::<Value>(["TTL", "string"])),
        any(Build.dbsize()),
        any(Build.config_get(["slowlog-max-len"]).decode_with(Value::from_reply)),
    ]);
    looks
}

/// Writing commands of every family.
fn writes() -> Vec<Command<Value>> {
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
        // Generic.
        any(Build.copy("text", "new")),
        any(Build.del(["text", "list"])),
        any(Build.expire("string", Duration::from_secs(3600))),
        any(Build.persist("string")),
        any(Build.rename("text", "moved")),
        any(Build.renamenx("text", "moved")),
        any(Build.touch(["text", "none"])),
        any(Build.unlink(["text"])),
        // List.
        any(Build.linsert("list", ListPlace::Before, "b", "x")),
        any(Build.lmove::<Value>("list", "other", ListSide::Left, ListSide::Right)),
        any(Build.lpop::<Value>("list")),
        any(Build.lpush("list", ["x"])),
        any(Build.lrem("list", 1, "b")),
        any(Build.lset("list", 0, "x")),
        any(Build.ltrim("list", 1, -1)),
        any(Build.rpush("list", ["x", "y"])),
        // Hash.
        any(Build.hdel("hash", ["a"])),
        any(Build.hgetdel::<Value>("hash", ["a"])),
        any(Build.hincrby("hash", "a", 3)),
        any(Build.hset("hash", [("c", "1")])),
        any(Build.hsetex("hash", HSetExOptions::new().if_none_exist(), [("c", 1)])),
        any(Build.hsetnx("hash", "c", 1)),
        // Set.
        any(Build.sadd("set", ["x"])),
        any(Build.smove("set", "other-set", "only")),
        any(Build.spop::<Value>("set")),
        any(Build.srem("set", ["only"])),
        any(Build.sunionstore("other-set", ["set"])),
        // Sorted set.
        any(Build.zadd("zset", [(9.0, "x")])),
        any(Build.zincrby("zset", 2.0, "a")),
        any(Build.zpopmin::<Value>("zset", 1)),
        any(Build.zrangestore("other-zset", "zset", ZRange::rank(0, 1))),
        any(Build.zrem("zset", ["a"])),
        any(Build.zremrangebyrank("zset", 0, 0)),
        any(Build.zmpop::<Value, Value>(["zset"], ZEnd::Max, 1)),
        // Geo, bitmap, HyperLogLog.
        any(Build.geoadd("geo", [(Coordinates { longitude: 15.0, latitude: 37.0 }, "q")])),
        any(Build.geosearchstore("other-zset", "geo", nearby(), GeoStore::Hash)),
        any(Build.setbit("string", 9, true)),
        any(Build.bitfield("string", BitField::new().incr_by(BitType::unsigned(8), 0, 7))),
        any(Build.bitop(BitOperation::Not, "new", ["text"])),
        any(Build.pfadd("hll", ["c"])),
        any(Build.pfmerge("new", ["hll"])),
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
        // Streams.
        any(Build.xadd_with("stream", XAddOptions::new().id(NewId::At(5)), [("n", 5)])),
        any(Build.xdel("stream", [id(1)])),
        any(Build.xgroup_destroy("stream", "group")),
        any(Build.xgroup_setid("stream", "group", GroupStart::After(id(1)))),
        any(Build.xreadgroup::<Value, Value>("group", "me", streams, XReadGroupOptions::new())),
        any(Build.xtrim("stream", Trim::max_len(1))),
        // Scripting, functions, publishing, the server.
        any(Build.eval::<Value>("return redis.call('INCR', KEYS[1])", ["string"], NONE)),
        any(Build.run_script::<Value>(&script, ["string"], NONE)),
        any(Build.fcall::<Value>("bump", ["string"], NONE)),
        any(Build.publish("nobody", "hears")),
        any(Build.config_set([("slowlog-max-len", 77)])),
        any(Build.acl_setuser("somebody", ["on", "+get", "(+set ~log:*)"])),
        any(Build.flushdb(FlushMode::Sync)),
    ]
}

/// A source of numbers that is the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn cut(&mut self) -> Cut {
        match self.below(4) {
            0 => Cut::Before,
            1 => Cut::During,
            2 => Cut::After,
            _ => Cut::InReply(self.below(40)),
        }
    }
}

async fn run_all(redis: &Redis, commands: Vec<Command<Value>>) -> Result<Vec<Option<Value>>> {
    let mut batch = redis.batch();
    let slots: Vec<_> = commands.into_iter().map(|command| batch.submit(command)).collect();
    let replies = batch.exec().await?;
    // A look at a key of another type is an error on both servers.
    Ok(slots.into_iter().map(|slot| replies.take(slot).ok()).collect())
}

/// A client whose next requests are cut as told.
fn cut(stack: &Stack, cuts: Vec<Cut>, way: usize) -> Result<Redis> {
    let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1));
    let builder = stack.builder().encoding(ENCODINGS[way % 3]).retry(policy);
    builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::default())).build()
}

#[tokio::test]
async fn what_is_told_is_what_has_become_of_the_data() -> Result<()> {
    let (broken, whole) = (own_stack(), own_stack());
    let (at_broken, at_whole) = (broken.redis(), whole.redis());
    let commands = writes();
    let mut numbers = Numbers(7);
    let (mut done, mut uncertain, mut refused) = (0, 0, 0);
    for round in 0..CUTS {
        let way = usize::try_from(round).unwrap();
        let command = commands[way % commands.len()].clone();
        let name = command.name().to_owned();
        let cuts: Vec<Cut> = match numbers.below(8) {
            0 => vec![Cut::Before; 4],
            1 => vec![Cut::Before; 2],
            _ => (0..=numbers.below(4)).map(|_| numbers.cut()).collect(),
        };
        run_all(&at_broken, setup()).await?;
        run_all(&at_whole, setup()).await?;
        let before = run_all(&at_whole, looks()).await?;
        let reply = at_whole.submit(command.clone()).await?;
        let once = run_all(&at_whole, looks()).await?;

        let outcome = cut(&broken, cuts.clone(), way)?.submit(command).await;
        let after = run_all(&at_broken, looks()).await?;
        let told = format!("{name} {cuts:?} {outcome:?}");
        match outcome {
            Ok(given) => {
                done += 1;
                assert_eq!((given, after), (reply, once), "{told}: done once, and replied so");
            }
            Err(error) if error.may_have_executed() => {
                uncertain += 1;
                assert!(after == once || after == before, "{told}: once or not at all");
            }
            Err(error) => {
                refused += 1;
                // A refusal whose text was cut away is a refusal: of a script that the server did not know.
                assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Rejected), "{told}");
                assert_eq!(after, before, "{told}: not at all");
            }
        }
    }
    assert!(done > 100 && uncertain > 100 && refused > 10, "{done} {uncertain} {refused}");
    Ok(())
}

/// A command is retried only if its declaration says that twice is the same as once: then it is, for data and reply.
#[tokio::test]
async fn what_is_repeated_gives_the_same_data_and_the_same_reply() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    let mut repeated = 0;
    for command in writes() {
        run_all(&redis, setup()).await?;
        let sent = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&sent);
        let builder = stack.builder().retry(RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO));
        let cuts = vec![Cut::After];
        let builder = builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::clone(&counter)));
        let outcome = builder.build()?.submit(command.clone()).await;
        let after = run_all(&redis, looks()).await?;
        run_all(&redis, setup()).await?;
        let reply = redis.submit(command.clone()).await?;
        let once = run_all(&redis, looks()).await?;
        if command.name() != "EVALSHA" {
            assert_eq!(after, once, "{}", command.name());
        }
        if let Ok(again) = outcome {
            repeated += 1;
            assert_eq!(again, reply, "{}", command.name());
        }
        assert!(sent.load(Ordering::Relaxed) <= 2);
    }
    assert!(repeated > 5);
    Ok(())
}

#[tokio::test]
async fn a_cut_pipeline_tells_which_commands_may_have_run() -> Result<()> {
    let stack = own_stack();
    let expected = [(1, "INCR"), (3, "RPUSH"), (4, "HSET")];
    for at in [Cut::During, Cut::After, Cut::InReply(30)] {
        let redis = cut(&stack, vec![at], 0)?;
        let pipeline = || {
            let begun = redis.pipeline().get::<Value>("a").incr("b").exists(["c"]);
            begun.rpush("d", [1]).hset("e", [("f", 1)])
        };
        let error = pipeline().exec_each().await.unwrap_err();
        assert_eq!(error.unconfirmed_commands().collect::<Vec<_>>(), expected);
        let redis = cut(&stack, vec![at], 0)?;
        let mut batch = redis.atomic_batch();
        let _ = (batch.incr("b"), batch.get::<Value>("a"));
        let error = batch.exec().await.unwrap_err();
        assert_eq!(error.unconfirmed_commands().collect::<Vec<_>>(), [(0, "INCR")]);
    }
    // Nothing has left, or there is no doubt.
    let redis = cut(&stack, vec![Cut::Before; 4], 0)?;
    let error = redis.pipeline().incr("b").incr("b").exec().await.unwrap_err();
    assert!(error.is_connect() && error.unconfirmed_commands().next().is_none());
    let error = cut(&stack, vec![Cut::After], 0)?.incr("b").await.unwrap_err();
    assert!(error.may_have_executed() && error.unconfirmed_commands().next().is_none(), "a command alone names itself");
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_too_large_is_not_sent() -> Result<()> {
    let stack = own_stack();
    let redis = stack.builder().max_request_bytes(1000).build()?;
    let long = "x".repeat(600);
    for error in [
        redis.pipeline().set("a", &long).set("b", &long).exec().await.unwrap_err(),
        redis.set("a", long.repeat(2)).await.unwrap_err(),
        redis.set("a", [0xff; 1001]).await.unwrap_err(),
    ] {
        assert!(error.kind() == ErrorKind::TooLarge && !error.may_have_executed(), "{error}");
        assert!(error.to_string().contains("max_request_bytes, 1000"), "{error}");
    }
    redis.set("a", &long).await?;
    assert_eq!(stack.redis().exists(["a", "b"]).await?, 1);
    Ok(())
}
