use std::ops::Bound;

use redis_model::redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_model::redis_rest::commands::sorted_set::{LexRange, ZAddOptions, ZCombineOptions, ZEnd, ZRange};
use redis_model::redis_rest::{Build, SortedSetCommands};

use crate::{line, refusal};

type Names = Vec<String>;

fn names() -> LexRange {
    LexRange::all().after("a").to("c")
}

#[test]
fn members_and_scores() {
    assert_eq!(line(Build.zadd("k", [(1.0, "a"), (f64::INFINITY, "b")])), "ZADD k 1 a inf b");
    let add = |options| Build.zadd_with("k", [(0.5, "a")], options);
    assert_eq!(line(add(ZAddOptions::new().nx())), "ZADD k NX 0.5 a");
    assert_eq!(line(add(ZAddOptions::new().lt())), "ZADD k LT 0.5 a");
    assert_eq!(line(add(ZAddOptions::new().gt().ch())), "ZADD k GT CH 0.5 a");
    // Two choices: whichever comes first, both are sent.
    assert_eq!(line(add(ZAddOptions::new().xx().gt())), "ZADD k XX GT 0.5 a");
    assert_eq!(line(add(ZAddOptions::new().lt().ch().xx())), "ZADD k XX LT CH 0.5 a");
    assert_eq!(line(add(ZAddOptions::new().nx().xx().gt().lt())), "ZADD k XX LT 0.5 a");
    for contradiction in [ZAddOptions::new().nx().gt(), ZAddOptions::new().lt().nx()] {
        assert!(refusal(add(contradiction)).contains("use `nx` alone, or `xx` with `gt` or `lt`"));
        assert!(refusal(Build.zadd_incr("k", 1.0, "a", contradiction)).contains("`nx` alone"));
    }
    assert_eq!(line(Build.zadd_incr("k", 2.0, "a", ZAddOptions::new().xx())), "ZADD k XX INCR 2 a");
    assert_eq!(line(Build.zcard("k")), "ZCARD k");
    assert_eq!(line(Build.zincrby("k", -1.5, "a")), "ZINCRBY k -1.5 a");
    assert_eq!(line(Build.zmscore("k", ["a", "b"])), "ZMSCORE k a b");
    assert_eq!(line(Build.zscore("k", "a")), "ZSCORE k a");
    assert_eq!(line(Build.zrank("k", "a")), "ZRANK k a");
    assert_eq!(line(Build.zrank_withscore("k", "a")), "ZRANK k a WITHSCORE");
    assert_eq!(line(Build.zrevrank("k", "a")), "ZREVRANK k a");
    assert_eq!(line(Build.zrevrank_withscore("k", "a")), "ZREVRANK k a WITHSCORE");
    assert_eq!(line(Build.zrem("k", ["a", "b"])), "ZREM k a b");
    assert_eq!(line(Build.zmpop::<String, String>(["a", "b"], ZEnd::Min, 2)), "ZMPOP 2 a b MIN COUNT 2");
    assert_eq!(line(Build.zmpop::<String, String>(["a"], ZEnd::Max, 1)), "ZMPOP 1 a MAX COUNT 1");
    assert_eq!(line(Build.zpopmax::<String>("k", 2)), "ZPOPMAX k 2");
    assert_eq!(line(Build.zpopmin::<String>("k", 2)), "ZPOPMIN k 2");
    assert_eq!(line(Build.zrandmember::<String>("k")), "ZRANDMEMBER k");
    assert_eq!(line(Build.zrandmember_count::<String>("k", -2)), "ZRANDMEMBER k -2");
    assert_eq!(line(Build.zrandmember_withscores::<String>("k", 2)), "ZRANDMEMBER k 2 WITHSCORES");
    let options = ScanOptions::new().matching("a*").count(9);
    assert_eq!(line(Build.zscan::<String>("k", Cursor::START, options)), "ZSCAN k 0 MATCH a* COUNT 9");
}

#[test]
fn ranges() {
    assert_eq!(line(Build.zcount("k", ..)), "ZCOUNT k -inf +inf");
    assert_eq!(line(Build.zcount("k", 1.0..2.5)), "ZCOUNT k 1 (2.5");
    assert_eq!(
        line(Build.zcount("k", (Bound::Excluded(1e300), Bound::Included(f64::INFINITY)))),
        "ZCOUNT k (1e300 inf"
    );
    assert_eq!(line(Build.zlexcount("k", names())), "ZLEXCOUNT k (a [c");
    assert_eq!(line(Build.zrange::<Names>("k", ZRange::rank(0, -1))), "ZRANGE k 0 -1");
    assert_eq!(line(Build.zrange::<Names>("k", ZRange::rank(0, -1).rev())), "ZRANGE k 0 -1 REV");
    assert_eq!(line(Build.zrange::<Names>("k", ZRange::score(1.0..=2.0))), "ZRANGE k 1 2 BYSCORE");
    let best = ZRange::score(1.0..2.0).rev().limit(5, 10);
    assert_eq!(line(Build.zrange::<Names>("k", best.clone())), "ZRANGE k (2 1 BYSCORE REV LIMIT 5 10");
    assert_eq!(
        line(Build.zrange_withscores::<String>("k", best.clone())),
        "ZRANGE k (2 1 BYSCORE REV LIMIT 5 10 WITHSCORES"
    );
    assert_eq!(line(Build.zrange::<Names>("k", ZRange::lex(names()).rev())), "ZRANGE k [c (a BYLEX REV");
    assert_eq!(line(Build.zrangestore("d", "k", best)), "ZRANGESTORE d k (2 1 BYSCORE REV LIMIT 5 10");
    assert_eq!(line(Build.zrangebylex::<Names>("k", names(), Some((1, 2)))), "ZRANGEBYLEX k (a [c LIMIT 1 2");
    assert_eq!(line(Build.zrangebyscore::<Names>("k", 1.0.., None)), "ZRANGEBYSCORE k 1 +inf");
    assert_eq!(
        line(Build.zrangebyscore_withscores::<String>("k", ..2.0, Some((0, -1)))),
        "ZRANGEBYSCORE k -inf (2 WITHSCORES LIMIT 0 -1"
    );
    assert_eq!(line(Build.zremrangebylex("k", names())), "ZREMRANGEBYLEX k (a [c");
    assert_eq!(line(Build.zremrangebyrank("k", 0, 1)), "ZREMRANGEBYRANK k 0 1");
    assert_eq!(line(Build.zremrangebyscore("k", ..=1.0)), "ZREMRANGEBYSCORE k -inf 1");
    assert_eq!(line(Build.zrevrange::<Names>("k", 0, 1)), "ZREVRANGE k 0 1");
    assert_eq!(line(Build.zrevrange_withscores::<String>("k", 0, 1)), "ZREVRANGE k 0 1 WITHSCORES");
    assert_eq!(line(Build.zrevrangebylex::<Names>("k", names(), None)), "ZREVRANGEBYLEX k [c (a");
    assert_eq!(line(Build.zrevrangebyscore::<Names>("k", 1.0..2.0, None)), "ZREVRANGEBYSCORE k (2 1");
    assert_eq!(
        line(Build.zrevrangebyscore_withscores::<String>("k", .., Some((0, 1)))),
        "ZREVRANGEBYSCORE k +inf -inf WITHSCORES LIMIT 0 1"
    );
}

#[test]
fn several_sets() {
    let keys = ["a", "b"];
    let weighted = ZCombineOptions::new().weights([1.0, 0.5]).max();
    assert_eq!(line(Build.zdiff::<Names>(keys)), "ZDIFF 2 a b");
    assert_eq!(line(Build.zdiff_withscores::<String>(keys)), "ZDIFF 2 a b WITHSCORES");
    assert_eq!(line(Build.zdiffstore("d", keys)), "ZDIFFSTORE d 2 a b");
    assert_eq!(line(Build.zinter::<Names>(keys, ZCombineOptions::new())), "ZINTER 2 a b");
    assert_eq!(
        line(Build.zinter_withscores::<String>(keys, weighted.clone())),
        "ZINTER 2 a b WEIGHTS 1 0.5 AGGREGATE MAX WITHSCORES"
    );
    assert_eq!(line(Build.zintercard(keys, Some(9))), "ZINTERCARD 2 a b LIMIT 9");
    assert_eq!(line(Build.zinterstore("d", keys, ZCombineOptions::new().min())), "ZINTERSTORE d 2 a b AGGREGATE MIN");
    assert_eq!(line(Build.zunion::<Names>(keys, weighted.clone())), "ZUNION 2 a b WEIGHTS 1 0.5 AGGREGATE MAX");
    assert_eq!(line(Build.zunion_withscores::<String>(keys, ZCombineOptions::new())), "ZUNION 2 a b WITHSCORES");
    assert_eq!(line(Build.zunionstore("d", keys, weighted)), "ZUNIONSTORE d 2 a b WEIGHTS 1 0.5 AGGREGATE MAX");
}

#[test]
fn what_redis_would_refuse_is_not_sent() {
    let nothing: [(f64, &str); 0] = [];
    assert!(refusal(Build.zadd("k", nothing)).contains("at least one score and member"));
    assert!(refusal(Build.zadd("k", [(f64::NAN, "a")])).contains("the score is NaN"));
    assert!(refusal(Build.zincrby("k", f64::NAN, "a")).contains("the increment is NaN"));
    assert!(refusal(Build.zcount("k", f64::NAN..)).contains("is NaN"));
    assert!(refusal(Build.zrange::<Names>("k", ZRange::rank(0, 1).limit(0, 1))).contains("no limit"));
    assert!(refusal(Build.zrange_withscores::<String>("k", ZRange::lex(names()))).contains("all equal"));
    assert!(refusal(Build.zmpop::<String, String>(["a"], ZEnd::Min, 0)).contains("at least 1"));
    assert!(refusal(Build.zunion::<Names>(["a"], ZCombineOptions::new().weights([f64::NAN]))).contains("weight"));
}
