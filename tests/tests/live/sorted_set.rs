use redis_model::redis_rest::commands::list::Popped;
use redis_model::redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_model::redis_rest::commands::sorted_set::{LexRange, ZAddOptions, ZCombineOptions, ZEnd, ZRange};
use redis_model::redis_rest::{Result, SortedSetCommands};
use redis_model_tests::key;
use redis_model_tests::via::{Via, everywhere};

type Names = Vec<String>;

fn scored(members: &[(&str, f64)]) -> Vec<(String, f64)> {
    members.iter().map(|(name, score)| ((*name).to_owned(), *score)).collect()
}

async fn members(redis: &Via) -> Result<()> {
    let k = &key("board");
    assert_eq!(redis.zadd(k, [(1.0, "a"), (2.5, "b"), (f64::INFINITY, "c")]).await?, 3);
    assert_eq!(redis.zadd_with(k, [(0.5, "a"), (3.0, "b")], ZAddOptions::new().gt().ch()).await?, 1);
    assert_eq!(redis.zadd_with(k, [(0.5, "a")], ZAddOptions::new().lt().ch()).await?, 1);
    assert_eq!(redis.zadd_incr(k, 1.0, "a", ZAddOptions::new().xx()).await?, Some(1.5));
    assert_eq!(redis.zadd_incr(k, 1.0, "a", ZAddOptions::new().nx()).await?, None);
    // XX with GT or LT adds no members.
    let better = ZAddOptions::new().gt().xx().ch();
    assert_eq!(redis.zadd_with(k, [(0.7, "a"), (3.5, "b"), (9.0, "new")], better).await?, 1);
    let worse = ZAddOptions::new().xx().lt().ch();
    assert_eq!(redis.zadd_with(k, [(9.0, "a"), (3.0, "b"), (0.0, "new")], worse).await?, 1);
    assert_eq!(redis.zscore(k, "new").await?, None);
    assert_eq!(redis.zcard(k).await?, 3);
    assert_eq!(redis.zincrby(k, -0.5, "a").await?, 1.0);
    assert_eq!(redis.zscore(k, "c").await?, Some(f64::INFINITY));
    assert_eq!(redis.zscore(k, "x").await?, None);
    assert_eq!(redis.zmscore(k, ["a", "x", "b"]).await?, [Some(1.0), None, Some(3.0)]);
    assert_eq!((redis.zrank(k, "b").await?, redis.zrevrank(k, "b").await?), (Some(1), Some(1)));
    assert_eq!(redis.zrank(k, "x").await?, None);
    assert_eq!(redis.zrank_withscore(k, "b").await?, Some((1, 3.0)));
    assert_eq!(redis.zrevrank_withscore(k, "c").await?, Some((0, f64::INFINITY)));
    assert_eq!(redis.zrandmember::<String>(key("none")).await?, None);
    assert!(redis.zrandmember::<String>(k).await?.is_some());
    assert_eq!(redis.zrandmember_count::<String>(k, -5).await?.len(), 5);
    assert_eq!(redis.zrandmember_withscores::<String>(k, 9).await?.len(), 3);
    assert_eq!(redis.zscan::<String>(k, Cursor::START, ScanOptions::new()).await?.items.len(), 3);
    assert_eq!(redis.zpopmin::<String>(k, 1).await?, scored(&[("a", 1.0)]));
    assert_eq!(redis.zpopmax::<String>(k, 1).await?, scored(&[("c", f64::INFINITY)]));
    let popped = redis.zmpop::<String, String>([&key("none"), k], ZEnd::Max, 5).await?;
    assert_eq!(popped, Some(Popped { key: k.clone(), items: scored(&[("b", 3.0)]) }));
    assert_eq!(redis.zmpop::<String, String>([k], ZEnd::Min, 5).await?, None);
    assert_eq!(redis.zrem(k, ["b"]).await?, 0);
    Ok(())
}

async fn ranges(redis: &Via) -> Result<()> {
    let (k, d) = (&key("ranges"), &key("d"));
    redis.zadd(k, [(1.0, "a"), (2.0, "b"), (3.0, "c"), (4.0, "d")]).await?;
    assert_eq!(redis.zcount(k, 2.0..4.0).await?, 2);
    assert_eq!(redis.zcount(k, ..).await?, 4);
    assert_eq!(redis.zrange::<Names>(k, ZRange::rank(0, 1)).await?, ["a", "b"]);
    assert_eq!(redis.zrange::<Names>(k, ZRange::rank(0, 1).rev()).await?, ["d", "c"]);
    assert_eq!(redis.zrange::<Names>(k, ZRange::score(2.0..).limit(1, 1)).await?, ["c"]);
    assert_eq!(redis.zrange::<Names>(k, ZRange::score(..=3.0).rev()).await?, ["c", "b", "a"]);
    assert_eq!(redis.zrange_withscores::<String>(k, ZRange::rank(-1, -1)).await?, scored(&[("d", 4.0)]));
    assert_eq!(redis.zrangestore(d, k, ZRange::score(2.0..=3.0)).await?, 2);
    assert_eq!(redis.zrangebyscore::<Names>(k, 3.0.., None).await?, ["c", "d"]);
    assert_eq!(redis.zrangebyscore_withscores::<String>(k, .., Some((1, 1))).await?, scored(&[("b", 2.0)]));
    assert_eq!(redis.zrevrange::<Names>(k, 0, 0).await?, ["d"]);
    assert_eq!(redis.zrevrange_withscores::<String>(k, 0, 0).await?, scored(&[("d", 4.0)]));
    assert_eq!(redis.zrevrangebyscore::<Names>(k, 1.0..3.0, None).await?, ["b", "a"]);
    assert_eq!(redis.zrevrangebyscore_withscores::<String>(k, .., Some((0, 1))).await?, scored(&[("d", 4.0)]));
    assert_eq!(redis.zremrangebyrank(k, 0, 0).await?, 1);
    assert_eq!(redis.zremrangebyscore(k, 4.0..).await?, 1);
    let names = &key("names");
    redis.zadd(names, ["a", "b", "c", "d"].map(|name| (0.0, name))).await?;
    let range = || LexRange::all().after("a").to("c");
    assert_eq!(redis.zlexcount(names, range()).await?, 2);
    assert_eq!(redis.zrange::<Names>(names, ZRange::lex(range())).await?, ["b", "c"]);
    assert_eq!(redis.zrange::<Names>(names, ZRange::lex(range()).rev().limit(0, 1)).await?, ["c"]);
    assert_eq!(redis.zrangebylex::<Names>(names, range(), Some((1, 1))).await?, ["c"]);
    assert_eq!(redis.zrevrangebylex::<Names>(names, range(), None).await?, ["c", "b"]);
    assert_eq!(redis.zremrangebylex(names, LexRange::all().from("b").before("d")).await?, 2);
    Ok(())
}

async fn several(redis: &Via) -> Result<()> {
    let (a, b, d) = (&key("a"), &key("b"), &key("d"));
    redis.zadd(a, [(1.0, "x"), (2.0, "y")]).await?;
    redis.zadd(b, [(10.0, "y"), (20.0, "z")]).await?;
    let plain = ZCombineOptions::new;
    assert_eq!(redis.zdiff::<Names>([a, b]).await?, ["x"]);
    assert_eq!(redis.zdiff_withscores::<String>([a, b]).await?, scored(&[("x", 1.0)]));
    assert_eq!(redis.zdiffstore(d, [a, b]).await?, 1);
    assert_eq!(redis.zinter::<Names>([a, b], plain()).await?, ["y"]);
    assert_eq!(redis.zinter_withscores::<String>([a, b], plain()).await?, scored(&[("y", 12.0)]));
    assert_eq!(redis.zinter_withscores::<String>([a, b], plain().max()).await?, scored(&[("y", 10.0)]));
    assert_eq!(redis.zintercard([a, b], Some(5)).await?, 1);
    assert_eq!(redis.zinterstore(d, [a, b], plain().min()).await?, 1);
    let weighted = plain().weights([10.0, 0.5]);
    assert_eq!(redis.zunion::<Names>([a, b], weighted.clone()).await?, ["x", "z", "y"]);
    let expected = scored(&[("x", 10.0), ("z", 10.0), ("y", 25.0)]);
    assert_eq!(redis.zunion_withscores::<String>([a, b], weighted.clone()).await?, expected);
    assert_eq!(redis.zunionstore(d, [a, b], weighted).await?, 3);
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        members(redis).await?;
        ranges(redis).await?;
        several(redis).await?;
    }
    Ok(())
}
