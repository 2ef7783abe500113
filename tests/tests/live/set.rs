use std::collections::{BTreeSet, HashSet};

use redis_model::redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_model::redis_rest::{Result, SetCommands};
use redis_model_tests::key;
use redis_model_tests::via::{Via, everywhere};

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn members(redis: &Via) -> Result<()> {
    let (k, other) = (&key("set"), &key("other"));
    assert_eq!(redis.sadd(k, ["a", "b", "b"]).await?, 2);
    assert_eq!(redis.scard(k).await?, 2);
    assert!(redis.sismember(k, "a").await?);
    assert_eq!(redis.smismember(k, ["a", "x"]).await?, [true, false]);
    assert_eq!(redis.smembers::<HashSet<String>>(k).await?.len(), 2);
    assert!(redis.smove(k, other, "a").await?);
    assert!(!redis.smove(k, other, "a").await?);
    assert_eq!(redis.srandmember::<String>(k).await?.as_deref(), Some("b"));
    assert_eq!(redis.srandmember_count::<String>(k, -3).await?, ["b", "b", "b"]);
    assert_eq!(redis.srem(k, ["b", "x"]).await?, 1);
    assert_eq!(redis.spop::<String>(k).await?, None);
    assert_eq!(redis.srandmember::<String>(k).await?, None);
    assert_eq!(redis.spop::<String>(other).await?.as_deref(), Some("a"));
    redis.sadd(k, 0..500).await?;
    assert_eq!(redis.spop_count::<u32>(k, 100).await?.len(), 100);
    let mut found = HashSet::new();
    let mut cursor = Cursor::START;
    loop {
        let page = redis.sscan::<u32>(k, cursor, ScanOptions::new().count(50)).await?;
        found.extend(page.items);
        if page.cursor.is_finished() {
            break;
        }
        cursor = page.cursor;
    }
    assert_eq!(found.len(), 400);
    Ok(())
}

async fn several(redis: &Via) -> Result<()> {
    let (a, b, d) = (&key("a"), &key("b"), &key("d"));
    redis.sadd(a, ["1", "2", "3"]).await?;
    redis.sadd(b, ["2", "3", "4"]).await?;
    assert_eq!(redis.sdiff::<BTreeSet<String>>([a, b]).await?, names(&["1"]));
    assert_eq!(redis.sinter::<BTreeSet<String>>([a, b]).await?, names(&["2", "3"]));
    assert_eq!(redis.sunion::<BTreeSet<String>>([a, b]).await?, names(&["1", "2", "3", "4"]));
    assert_eq!(redis.sintercard([a, b], None).await?, 2);
    assert_eq!(redis.sintercard([a, b], Some(1)).await?, 1);
    assert_eq!(redis.sdiffstore(d, [a, b]).await?, 1);
    assert_eq!(redis.sinterstore(d, [a, b]).await?, 2);
    assert_eq!(redis.sunionstore(d, [a, b]).await?, 4);
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        members(redis).await?;
        several(redis).await?;
    }
    Ok(())
}
