use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, UNIX_EPOCH};

use redis_model::redis_rest::commands::expiry::{ExpireCondition, Expiry, GetExpiry, Ttl};
use redis_model::redis_rest::commands::hash::{FieldExpire, FieldPersist, HSetExOptions};
use redis_model::redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_model::redis_rest::{HashCommands, Result};
use redis_model_tests::key;
use redis_model_tests::via::{Via, everywhere};

const HOUR: Duration = Duration::from_secs(3600);

async fn fields(redis: &Via) -> Result<()> {
    let k = &key("hash");
    assert_eq!(redis.hset(k, [("a", "1"), ("b", "2")]).await?, 2);
    assert_eq!(redis.hset(k, [("a", "3")]).await?, 0);
    redis.hmset(k, [("c", 5)]).await?;
    assert!(redis.hsetnx(k, "d", "x").await?);
    assert!(!redis.hsetnx(k, "d", "y").await?);
    assert_eq!(redis.hget::<i64>(k, "a").await?, Some(3));
    assert_eq!(redis.hget::<i64>(k, "none").await?, None);
    assert_eq!(redis.hmget::<String>(k, ["a", "none", "d"]).await?, [Some("3".into()), None, Some("x".into())]);
    let all: BTreeMap<String, String> = redis.hgetall(k).await?;
    assert_eq!(
        all,
        BTreeMap::from([("a", "3"), ("b", "2"), ("c", "5"), ("d", "x")].map(|(f, v)| (f.into(), v.into())))
    );
    assert!(redis.hgetall::<Vec<(String, String)>>(key("none")).await?.is_empty());
    assert_eq!(redis.hkeys::<String>(k).await?.len(), 4);
    assert_eq!(redis.hvals::<String>(k).await?.len(), 4);
    assert_eq!(redis.hlen(k).await?, 4);
    assert_eq!(redis.hstrlen(k, "d").await?, 1);
    assert!(redis.hexists(k, "d").await?);
    assert_eq!(redis.hincrby(k, "c", -6).await?, -1);
    assert_eq!(redis.hincrbyfloat(k, "c", 0.5).await?, -0.5);
    assert_eq!(redis.hdel(k, ["a", "none"]).await?, 1);
    assert_eq!(redis.hgetdel::<String>(k, ["b", "none"]).await?, [Some("2".into()), None]);
    assert_eq!(redis.hlen(k).await?, 2);
    Ok(())
}

async fn random(redis: &Via) -> Result<()> {
    let k = &key("random");
    redis.hset(k, [("a", 1), ("b", 2)]).await?;
    assert_eq!(redis.hrandfield::<String>(key("none")).await?, None);
    assert!(redis.hrandfield::<String>(k).await?.is_some());
    assert_eq!(redis.hrandfield_count::<String>(k, 5).await?.len(), 2);
    assert_eq!(redis.hrandfield_count::<String>(k, -5).await?.len(), 5);
    let mut pairs = redis.hrandfield_withvalues::<String, i64>(k, 2).await?;
    pairs.sort();
    assert_eq!(pairs, [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    Ok(())
}

async fn scans(redis: &Via) -> Result<()> {
    let k = &key("scan");
    redis.hset(k, (0..600).map(|n| (format!("f{n}"), n))).await?;
    let mut found = HashSet::new();
    let mut names = HashSet::new();
    let mut cursor = Cursor::START;
    loop {
        let page = redis.hscan::<String, i64>(k, cursor, ScanOptions::new().count(100)).await?;
        found.extend(page.items.into_iter().filter(|(field, value)| *field == format!("f{value}")));
        if page.cursor.is_finished() {
            break;
        }
        cursor = page.cursor;
    }
    assert_eq!(found.len(), 600);
    cursor = Cursor::START;
    loop {
        let options = ScanOptions::new().matching("f1*").count(100);
        let page = redis.hscan_novalues::<String>(k, cursor, options).await?;
        names.extend(page.items);
        if page.cursor.is_finished() {
            break;
        }
        cursor = page.cursor;
    }
    assert_eq!(names.len(), 111);
    Ok(())
}

async fn expiry(redis: &Via) -> Result<()> {
    let k = &key("expiry");
    redis.hset(k, [("a", 1), ("b", 2)]).await?;
    assert_eq!(redis.hexpire(k, HOUR, ["a", "none"]).await?, [FieldExpire::Set, FieldExpire::Missing]);
    assert_eq!(redis.hexpire_with(k, HOUR, ["a"], ExpireCondition::Nx).await?, [FieldExpire::Unchanged]);
    assert_eq!(redis.hpexpire(k, HOUR, ["a"]).await?, [FieldExpire::Set]);
    assert_eq!(redis.hpexpire_with(k, 2 * HOUR, ["a"], ExpireCondition::Gt).await?, [FieldExpire::Set]);
    let left = redis.hpttl(k, ["a", "b", "none"]).await?;
    assert!(matches!(left[..], [Ttl::Expires(left), Ttl::Persistent, Ttl::Missing] if left > HOUR));
    assert!(matches!(redis.httl(k, ["a"]).await?[..], [Ttl::Expires(left)] if left > HOUR));
    let at = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    assert_eq!(redis.hexpireat(k, at, ["a"]).await?, [FieldExpire::Set]);
    assert_eq!(redis.hexpiretime(k, ["a", "b"]).await?, [Ttl::Expires(at), Ttl::Persistent]);
    assert_eq!(redis.hexpireat_with(k, at, ["a"], ExpireCondition::Lt).await?, [FieldExpire::Unchanged]);
    let at = at + Duration::from_millis(5);
    assert_eq!(redis.hpexpireat(k, at, ["a"]).await?, [FieldExpire::Set]);
    assert_eq!(redis.hpexpiretime(k, ["a"]).await?, [Ttl::Expires(at)]);
    assert_eq!(redis.hpexpireat_with(k, at, ["a"], ExpireCondition::Nx).await?, [FieldExpire::Unchanged]);
    assert_eq!(
        redis.hpersist(k, ["a", "b", "none"]).await?,
        [FieldPersist::Persisted, FieldPersist::Unchanged, FieldPersist::Missing]
    );
    assert_eq!(redis.hpexpireat(k, UNIX_EPOCH, ["a"]).await?, [FieldExpire::Deleted]);
    assert_eq!(redis.hgetex::<i64>(k, ["a", "b"], GetExpiry::Expire(Expiry::seconds(60))).await?, [None, Some(2)]);
    assert!(matches!(redis.httl(k, ["b"]).await?[..], [Ttl::Expires(_)]));
    redis.hgetex::<i64>(k, ["b"], GetExpiry::Persist).await?;
    assert_eq!(redis.httl(k, ["b"]).await?, [Ttl::Persistent]);
    Ok(())
}

async fn hsetex(redis: &Via) -> Result<()> {
    let k = &key("hsetex");
    let once = HSetExOptions::new().fnx().expire(Expiry::seconds(60));
    assert!(redis.hsetex(k, [("a", 1), ("b", 2)], once).await?);
    assert!(!redis.hsetex(k, [("b", 3), ("c", 4)], once).await?);
    assert!(!redis.hsetex(k, [("b", 3), ("c", 4)], HSetExOptions::new().fxx()).await?);
    assert!(redis.hsetex(k, [("b", 3)], HSetExOptions::new().keepttl()).await?);
    assert!(matches!(redis.httl(k, ["b"]).await?[..], [Ttl::Expires(_)]));
    assert_eq!(redis.hmget::<i64>(k, ["a", "b", "c"]).await?, [Some(1), Some(3), None]);
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        fields(redis).await?;
        random(redis).await?;
        scans(redis).await?;
        expiry(redis).await?;
        hsetex(redis).await?;
    }
    Ok(())
}
