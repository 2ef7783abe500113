use std::collections::HashSet;

use redis_model::redis_rest::commands::generic::KeyType;
use redis_model::redis_rest::commands::scan::ScanOptions;
use redis_model::redis_rest::commands::stream::{NewId, StreamEntry, StreamId, XAddOptions};
use redis_model::redis_rest::{
    ErrorKind, HashCommands as _, IterCommands, Result, SetCommands as _, SortedSetCommands as _, StreamCommands as _,
    StringCommands as _,
};
use redis_model_tests::{clients, key, stack};

type Fields = Vec<(String, i64)>;

/// Big enough for several pages.
const MANY: i64 = 1000;

#[tokio::test]
async fn every_scan_gives_all_there_is() -> Result<()> {
    for redis in &clients() {
        let k = &key("iter");
        let (hash, set, zset) = (&format!("{k}:hash"), &format!("{k}:set"), &format!("{k}:zset"));
        redis.mset((0..MANY).map(|n| (format!("{k}:{n}"), n))).await?;
        redis.hset(hash, (0..MANY).map(|n| (n, n * 2))).await?;
        redis.sadd(set, 0..MANY).await?;
        redis.zadd(zset, (0..MANY).map(|n| (n as f64, n))).await?;
        let options = || ScanOptions::new().count(50);

        let ours = options().matching(format!("{k}:*")).of_type(KeyType::String);
        let keys: HashSet<String> = redis.scan_iter(ours).collect().await?.into_iter().collect();
        assert_eq!(keys, (0..MANY).map(|n| format!("{k}:{n}")).collect());
        let all: HashSet<i64> = (0..MANY).collect();
        let pairs = redis.hscan_iter::<i64, i64>(hash, options()).collect().await?;
        assert!(pairs.iter().all(|(field, value)| *value == field * 2));
        assert_eq!(pairs.into_iter().map(|(field, _)| field).collect::<HashSet<_>>(), all);
        let fields = redis.hscan_novalues_iter::<i64>(hash, options()).collect().await?;
        assert_eq!(fields.into_iter().collect::<HashSet<_>>(), all);
        let members = redis.sscan_iter::<i64>(set, options()).collect().await?;
        assert_eq!(members.into_iter().collect::<HashSet<_>>(), all);
        let scored = redis.zscan_iter::<i64>(zset, options()).collect().await?;
        assert!(scored.iter().all(|(member, score)| *score == *member as f64));
        assert_eq!(scored.into_iter().map(|(member, _)| member).collect::<HashSet<_>>(), all);
        let matching = redis.sscan_iter::<i64>(set, options().matching("99*")).collect().await?;
        assert_eq!(matching.into_iter().collect::<HashSet<_>>().len(), 11);
        assert!(redis.sscan_iter::<i64>(key("none"), options()).collect().await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn ranges_of_streams_come_in_order_and_once() -> Result<()> {
    let redis = &stack().redis();
    let k = &key("stream");
    let mut batch = redis.batch();
    for n in 1..=25 {
        let options = XAddOptions::new().id(NewId::Exact(StreamId::new(n, 0)));
        let _ = batch.xadd_with(k, [("n", n)], options);
    }
    batch.exec().await?;
    let ids =
        |entries: Vec<StreamEntry<Result<Fields>>>| entries.iter().map(|entry| entry.id.millis).collect::<Vec<_>>();
    for count in [1, 7, 25, 100] {
        let entries = redis.xrange_iter(k, .., count).collect().await?;
        assert_eq!(ids(entries), (1..=25).collect::<Vec<_>>());
        let entries = redis.xrange_iter(k, StreamId::new(3, 0)..StreamId::new(20, 0), count).collect().await?;
        assert_eq!(ids(entries), (3..20).collect::<Vec<_>>());
        let entries = redis.xrevrange_iter(k, StreamId::new(3, 0).., count).collect().await?;
        assert_eq!(ids(entries), (3..=25).rev().collect::<Vec<_>>());
    }
    let ends = &key("ends");
    for id in [StreamId::new(0, 1), StreamId::MAX] {
        redis.xadd_with(ends, [("n", 1)], XAddOptions::new().id(NewId::Exact(id))).await?;
    }
    assert_eq!(redis.xrange_iter::<Fields>(ends, .., 1).collect().await?.len(), 2);
    assert_eq!(redis.xrevrange_iter::<Fields>(ends, .., 1).collect().await?.len(), 2);
    let error = redis.xrange_iter::<Fields>(k, .., 0).collect().await.unwrap_err();
    assert!(error.is_invalid_input(), "{error}");
    Ok(())
}

#[test]
fn the_blocking_client_gives_iterators() -> Result<()> {
    let redis = &stack().blocking();
    let k = &key("set");
    redis.sadd(k, 0..MANY)?;
    let members = redis.sscan_iter::<i64>(k, ScanOptions::new().count(50)).collect::<Result<HashSet<_>>>()?;
    assert_eq!(members, (0..MANY).collect());
    Ok(())
}

#[tokio::test]
async fn a_page_that_fails_is_the_last() -> Result<()> {
    let (redis, blocking) = (&stack().redis(), &stack().blocking());
    let k = &key("text");
    redis.set(k, "no set").await?;
    let mut members = redis.sscan_iter::<i64>(k, ScanOptions::new());
    assert!(members.next().await.is_some_and(|member| member.is_err_and(|error| error.is_wrong_type())));
    assert!(members.next().await.is_none());
    let mut members = blocking.sscan_iter::<i64>(k, ScanOptions::new().of_type(KeyType::Set));
    assert!(members.next().is_some_and(|member| member.is_err_and(|error| error.kind() == ErrorKind::InvalidInput)));
    assert!(members.next().is_none());
    Ok(())
}
