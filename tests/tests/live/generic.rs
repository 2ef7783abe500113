use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis_model::redis_rest::commands::expiry::{ExpireCondition, Expiry, Ttl};
use redis_model::redis_rest::commands::generic::{CopyOptions, KeyType, RestoreOptions};
use redis_model::redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_model::redis_rest::{Executor as _, GenericCommands, HashCommands as _, Result, StringCommands as _, Value};
use redis_model_tests::via::{Via, everywhere};
use redis_model_tests::{key, stack};

const HOUR: Duration = Duration::from_secs(3600);

async fn existence(redis: &Via) -> Result<()> {
    let (a, b) = (&key("a"), &key("b"));
    redis.mset([(a, 1), (b, 2)]).await?;
    assert_eq!(redis.exists([a, b, a]).await?, 3);
    assert_eq!(redis.touch([a, b]).await?, 2);
    assert!(!redis.copy(a, b).await?);
    assert!(redis.copy_with(a, b, CopyOptions::new().replace()).await?);
    assert_eq!(redis.get::<i64>(b).await?, Some(1));
    assert!(!redis.renamenx(a, b).await?);
    redis.rename(a, b).await?;
    assert_eq!(redis.exists([a]).await?, 0);
    assert!(redis.rename(a, b).await.unwrap_err().to_string().contains("no such key"));
    assert_eq!(redis.unlink([a, b]).await?, 1);
    assert_eq!(redis.del([a, b]).await?, 0);
    Ok(())
}

async fn types(redis: &Via) -> Result<()> {
    let (s, h, j) = (&key("s"), &key("h"), &key("j"));
    redis.set(s, 1).await?;
    redis.hset(h, [("f", "v")]).await?;
    redis.execute::<()>(["JSON.SET", j, "$", "{}"]).await?;
    assert_eq!(redis.type_of(s).await?, Some(KeyType::String));
    assert_eq!(redis.type_of(h).await?, Some(KeyType::Hash));
    assert_eq!(redis.type_of(j).await?, Some(KeyType::Json));
    assert_eq!(redis.type_of(key("none")).await?, None);
    assert!(redis.memory_usage(s, None).await?.is_some_and(|bytes| bytes > 0));
    assert!(redis.memory_usage(h, Some(0)).await?.is_some_and(|bytes| bytes > 0));
    assert_eq!(redis.memory_usage(key("none"), None).await?, None);
    assert!(redis.randomkey::<String>().await?.is_some());
    Ok(())
}

async fn expiry(redis: &Via) -> Result<()> {
    let k = &key("expiry");
    assert!(!redis.expire(k, HOUR).await?);
    assert_eq!(redis.ttl(k).await?, Ttl::Missing);
    assert_eq!(redis.pexpiretime(k).await?, Ttl::Missing);
    redis.set(k, 1).await?;
    assert_eq!(redis.pttl(k).await?, Ttl::Persistent);
    assert_eq!(redis.expiretime(k).await?, Ttl::Persistent);
    assert!(redis.expire(k, HOUR).await?);
    assert!(redis.ttl(k).await?.expires().is_some_and(|left| left > HOUR / 2 && left <= HOUR));
    assert!(!redis.expire_with(k, HOUR, ExpireCondition::Nx).await?);
    assert!(redis.pexpire_with(k, 2 * HOUR, ExpireCondition::Gt).await?);
    assert!(!redis.pexpire_with(k, 3 * HOUR, ExpireCondition::Lt).await?);
    assert!(redis.pexpire(k, HOUR).await?);
    let at = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    assert!(redis.expireat(k, at).await?);
    assert_eq!(redis.expiretime(k).await?, Ttl::Expires(at));
    let at = at + Duration::from_millis(5);
    assert!(redis.pexpireat(k, at).await?);
    assert_eq!(redis.pexpiretime(k).await?, Ttl::Expires(at));
    assert!(redis.expireat_with(k, at, ExpireCondition::Xx).await?);
    assert!(!redis.pexpireat_with(k, at, ExpireCondition::Nx).await?);
    assert!(redis.persist(k).await?);
    assert!(!redis.persist(k).await?);
    assert!(redis.pexpireat(k, SystemTime::now() - HOUR).await?, "the past deletes at once");
    assert_eq!(redis.exists([k]).await?, 0);
    Ok(())
}

async fn serialized(redis: &Via) -> Result<()> {
    let (from, to) = (&key("from"), &key("to"));
    redis.set(from, "value").await?;
    assert_eq!(redis.dump::<Vec<u8>>(key("none")).await?, None);
    let dump = redis.dump::<Vec<u8>>(from).await?.unwrap_or_default();
    // Plain JSON, which is no encoding for bytes, damages them.
    assert!(String::from_utf8_lossy(&dump).contains("value"));
    let dump = stack().redis().dump::<Vec<u8>>(from).await?.unwrap_or_default();
    if !redis.carries_bytes() {
        assert!(redis.restore(to, &dump, RestoreOptions::new()).await.unwrap_err().is_invalid_input());
        return Ok(());
    }
    redis.restore(to, &dump, RestoreOptions::new().expire(Expiry::after(HOUR))).await?;
    assert_eq!(redis.get::<String>(to).await?.as_deref(), Some("value"));
    assert!(redis.pttl(to).await?.expires().is_some());
    let error = redis.restore(to, &dump, RestoreOptions::new()).await.unwrap_err();
    assert_eq!(error.code(), Some("BUSYKEY"));
    let at = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    redis.restore(to, &dump, RestoreOptions::new().replace().expire(Expiry::at(at))).await?;
    assert_eq!(redis.expiretime(to).await?, Ttl::Expires(at));
    redis.restore(to, &dump, RestoreOptions::new().replace().idle(HOUR)).await?;
    assert_eq!(redis.ttl(to).await?, Ttl::Persistent);
    Ok(())
}

async fn scans(redis: &Via) -> Result<()> {
    let prefix = key("scan");
    let expected: HashSet<String> = (0..300).map(|n| format!("{prefix}:{n}")).collect();
    redis.mset(expected.iter().map(|key| (key, 1))).await?;
    redis.hset(format!("{prefix}:hash"), [("f", "v")]).await?;
    let options = ScanOptions::new().matching(format!("{prefix}:*")).count(100).of_type(KeyType::String);
    let mut found = HashSet::new();
    let mut cursor = Cursor::START;
    loop {
        let page = redis.scan::<String>(cursor, options.clone()).await?;
        found.extend(page.items);
        if page.cursor.is_finished() {
            break;
        }
        cursor = page.cursor;
    }
    assert_eq!(found, expected);
    // Only the service has this form.
    let error = redis.scan_withtype::<String>(Cursor::START, ScanOptions::new()).await.unwrap_err();
    assert!(error.to_string().contains("syntax error"), "{error}");
    assert_eq!(redis.keys::<String>(format!("{prefix}:*")).await?.len(), 301);
    Ok(())
}

/// There is no replica to wait for, and nobody else waits meanwhile.
#[tokio::test]
async fn waiting_holds_up_nobody() -> Result<()> {
    let redis = stack().redis();
    let waiting = tokio::spawn({
        let redis = redis.clone();
        async move { redis.wait(1, Duration::from_secs(600)).await }
    });
    for _ in 0..50 {
        redis.incr(key("meanwhile")).await?;
    }
    assert!(!waiting.is_finished());
    waiting.abort();
    Ok(())
}

async fn waiting(redis: &Via) -> Result<()> {
    assert_eq!(redis.wait(0, Duration::from_millis(10)).await?, 0);
    assert_eq!(redis.waitaof(0, 0, Duration::from_millis(10)).await?, (0, 0));
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        existence(redis).await?;
        types(redis).await?;
        expiry(redis).await?;
        serialized(redis).await?;
        scans(redis).await?;
        waiting(redis).await?;
    }
    Ok(())
}

#[tokio::test]
async fn any_command_gives_any_reply() -> Result<()> {
    for redis in &everywhere() {
        let k = &key("raw");
        redis.execute::<i64>(["RPUSH", k, "a", "b"]).await?;
        assert_eq!(redis.execute::<Vec<String>>(["LRANGE", k, "0", "-1"]).await?, ["a", "b"]);
        let nested: Value = redis.execute(["EVAL", "return {1, 'two', {false, {err='oops'}}}", "0"]).await?;
        let Value::Array(items) = nested else { panic!("an array") };
        assert_eq!(items[..2], [Value::Int(1), Value::Bytes("two".into())]);
        let Value::Array(inner) = &items[2] else { panic!("an array in it") };
        assert_eq!(inner[0], Value::Nil);
    }
    Ok(())
}
