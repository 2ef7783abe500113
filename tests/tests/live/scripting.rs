//! Scripts, and publishing.

use redis_model::redis_rest::{FlushMode, PubSubCommands, Redis, Result, ScriptingCommands, Value};
use redis_model_tests::{clients, key};

const NONE: [&str; 0] = [];

async fn scripts(redis: &Redis) -> Result<()> {
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

async fn publishing(redis: &Redis) -> Result<()> {
    let channel = &key("quiet");
    assert_eq!(redis.publish(channel, "hi").await?, 0);
    assert!(redis.pubsub_channels::<String>(Some(channel)).await?.is_empty());
    assert_eq!(redis.pubsub_numsub::<String>([channel]).await?, [(channel.clone(), 0)]);
    redis.pubsub_numpat().await?;
    Ok(())
}

/// One test, since it ends with the server's forgetting all scripts.
#[tokio::test]
async fn every_method_in_every_encoding() -> Result<()> {
    for redis in &clients() {
        scripts(redis).await?;
        publishing(redis).await?;
        redis.script_flush(FlushMode::Sync).await?;
    }
    Ok(())
}
