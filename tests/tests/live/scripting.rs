//! Scripts, functions, and publishing.

use redis_model::redis_rest::commands::flush::FlushMode;
use redis_model::redis_rest::{
    FunctionCommands, PubSubCommands, Result, Script, ScriptingCommands, StringCommands as _, Value,
};
use redis_model_tests::via::{Via, everywhere_over};
use redis_model_tests::{key, own_stack};

const NONE: [&str; 0] = [];

async fn scripts(redis: &Via) -> Result<()> {
    let k = &key("script");
    let script = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    assert_eq!(redis.eval::<i64>(script, [k], [5]).await?, 5);
    assert_eq!(redis.eval_ro::<i64>("return tonumber(redis.call('GET', KEYS[1]))", [k], NONE).await?, 5);
    assert!(redis.eval_ro::<i64>(script, [k], [5]).await.unwrap_err().to_string().contains("read-only"));
    let sha1 = &redis.script_load(script).await?;
    assert_eq!(redis.evalsha::<i64>(sha1, [k], [1]).await?, 6);
    let unknown = "0".repeat(40);
    assert_eq!(redis.script_exists([sha1, &unknown]).await?, [true, false]);
    assert_eq!(redis.evalsha::<i64>(&unknown, NONE, NONE).await.unwrap_err().code(), Some("NOSCRIPT"));
    let sha1 = redis.script_load("return {1, 'two', false}").await?;
    let Value::Array(items) = redis.evalsha_ro(&sha1, NONE, NONE).await? else { panic!("an array") };
    assert_eq!(items, [Value::Int(1), Value::Bytes("two".into()), Value::Nil]);
    assert_eq!(redis.script_kill().await.unwrap_err().code(), Some("NOTBUSY"));
    Ok(())
}

/// Whether the server knows the script or not, alone and among others.
async fn scripts_as_values(redis: &Via) -> Result<()> {
    let k = &key("script");
    let add = Script::new(format!("return redis.call('INCRBY', KEYS[1], ARGV[1]) -- {k} \u{e9}\"\\"));
    assert_eq!(redis.run_script::<i64>(add.key(k).arg(5)).await?, 5);
    assert_eq!(redis.run_script::<i64>(add.key(k).arg(1)).await?, 6);
    redis.script_flush_with(FlushMode::Sync).await?;
    redis.script_flush().await?;
    assert_eq!(redis.run_script::<i64>(add.key(k).arg(1)).await?, 7);
    let get = Script::new(format!("return redis.call('GET', KEYS[1]) -- {k}")).read_only();
    assert_eq!(redis.run_script::<i64>(get.key(k)).await?, 7);
    let error = redis.run_script::<i64>(add.clone().read_only().key(k).arg(5)).await.unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    // An error of the script's own is no reason to run it again.
    let own = Script::new("redis.call('INCR', KEYS[1]) return redis.error_reply('NOSCRIPT of my own')");
    assert_eq!(redis.run_script::<i64>(own.key(k)).await.unwrap_err().code(), Some("NOSCRIPT"));
    assert_eq!(redis.run_script::<i64>(get.key(k)).await?, 8);
    let wrong = Script::new("return nonsense(");
    assert!(redis.run_script::<()>(&wrong).await.unwrap_err().to_string().contains("compiling"));
    if redis.carries_bytes() {
        assert_eq!(redis.run_script::<i64>(Script::new("return #ARGV[1]").arg(b"\xff\x00")).await?, 2);
    }
    Ok(())
}

/// A script that the server does not know must not run behind the commands that stand behind it.
#[tokio::test]
async fn scripts_keep_their_place_in_pipelines() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    let k = &key("script");
    let double = Script::new("return redis.call('INCRBY', KEYS[1], redis.call('GET', KEYS[1]))");
    for atomic in [false, true] {
        redis.script_flush_with(FlushMode::Sync).await?;
        let mut batch = if atomic { redis.atomic_batch() } else { redis.batch() };
        let _ = batch.set(k, 1);
        let slots: Vec<_> = (0..4).map(|_| batch.run_script::<i64>(double.key(k))).collect();
        let _ = batch.incr(k);
        let last = batch.run_script::<i64>(double.key(k));
        let replies = batch.exec().await?;
        let doubled = slots.into_iter().map(|slot| replies.take(slot)).collect::<Result<Vec<_>>>()?;
        assert_eq!((doubled, replies.take(last)?), (vec![2, 4, 8, 16], 34));
        // Alone among the commands of a transaction or a pipeline too.
        redis.script_flush_with(FlushMode::Sync).await?;
        let begun = if atomic { redis.transaction() } else { redis.pipeline() };
        assert_eq!(begun.run_script::<i64>(double.key(k)).exec().await?, (68,));
    }
    Ok(())
}

const LIBRARY: &str = "#!lua name=counting
redis.register_function('add', function(keys, args) return redis.call('INCRBY', keys[1], args[1]) end)
redis.register_function{
    function_name = 'count', description = 'reads', flags = {'no-writes'},
    callback = function(keys) return tonumber(redis.call('GET', keys[1])) end
}";

async fn functions(redis: &Via) -> Result<()> {
    let k = &key("function");
    assert_eq!(redis.function_load(LIBRARY).await?, "counting");
    assert!(redis.function_load(LIBRARY).await.unwrap_err().to_string().contains("already exists"));
    assert_eq!(redis.function_load_replace(LIBRARY).await?, "counting");
    assert_eq!(redis.fcall::<i64>("add", [k], [5]).await?, 5);
    assert_eq!(redis.fcall_ro::<i64>("count", [k], NONE).await?, 5);
    assert!(redis.fcall_ro::<i64>("add", [k], [5]).await.unwrap_err().to_string().contains("write"));
    let library = redis.function_list_withcode(Some("count*")).await?.remove(0);
    assert_eq!(
        (library.name.as_str(), library.engine.as_str(), library.code.as_deref()),
        ("counting", "LUA", Some(LIBRARY))
    );
    assert_eq!(library.functions.len(), 2);
    let count = library.functions.iter().find(|function| function.name == "count").cloned().unwrap();
    assert_eq!((count.description.as_deref(), count.flags), (Some("reads"), vec!["no-writes".to_owned()]));
    assert!(redis.function_list(None).await?[0].code.is_none());
    let stats = redis.function_stats().await?;
    assert_eq!(stats.running, None);
    let [lua] = &stats.engines[..] else { panic!("{stats:?}") };
    assert_eq!((lua.name.as_str(), lua.libraries, lua.functions), ("LUA", 1, 2));
    assert_eq!(redis.function_kill().await.unwrap_err().code(), Some("NOTBUSY"));
    redis.function_delete("counting").await?;
    assert!(redis.function_delete("counting").await.is_err());
    redis.function_flush_with(FlushMode::Sync).await?;
    redis.function_flush().await?;
    Ok(())
}

async fn publishing(redis: &Via) -> Result<()> {
    let channel = &key("quiet");
    assert_eq!(redis.publish(channel, "hi").await?, 0);
    assert!(redis.pubsub_channels::<String>(Some(channel)).await?.is_empty());
    assert_eq!(redis.pubsub_numsub::<String>([channel]).await?, [(channel.clone(), 0)]);
    redis.pubsub_numpat().await?;
    Ok(())
}

/// On a server of its own, which is made to forget its scripts.
#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere_over(&own_stack()) {
        scripts(redis).await?;
        scripts_as_values(redis).await?;
        functions(redis).await?;
        publishing(redis).await?;
        redis.script_flush_with(FlushMode::Sync).await?;
    }
    Ok(())
}
