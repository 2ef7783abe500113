use redis_model::redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_model::redis_rest::{Build, SetCommands};

use crate::{line, refusal};

type Names = Vec<String>;

#[test]
fn sets() {
    assert_eq!(line(Build.sadd("k", ["a", "b"])), "SADD k a b");
    assert_eq!(line(Build.scard("k")), "SCARD k");
    assert_eq!(line(Build.sdiff::<Names>(["a", "b"])), "SDIFF a b");
    assert_eq!(line(Build.sdiffstore("d", ["a", "b"])), "SDIFFSTORE d a b");
    assert_eq!(line(Build.sinter::<Names>(["a", "b"])), "SINTER a b");
    assert_eq!(line(Build.sintercard(["a", "b"], None)), "SINTERCARD 2 a b");
    assert_eq!(line(Build.sintercard(["a", "b"], Some(9))), "SINTERCARD 2 a b LIMIT 9");
    assert_eq!(line(Build.sinterstore("d", ["a", "b"])), "SINTERSTORE d a b");
    assert_eq!(line(Build.sismember("k", "m")), "SISMEMBER k m");
    assert_eq!(line(Build.smembers::<Names>("k")), "SMEMBERS k");
    assert_eq!(line(Build.smismember("k", ["a", "b"])), "SMISMEMBER k a b");
    assert_eq!(line(Build.smove("a", "b", "m")), "SMOVE a b m");
    assert_eq!(line(Build.spop::<String>("k")), "SPOP k");
    assert_eq!(line(Build.spop_count::<String>("k", 2)), "SPOP k 2");
    assert_eq!(line(Build.srandmember::<String>("k")), "SRANDMEMBER k");
    assert_eq!(line(Build.srandmember_count::<String>("k", -2)), "SRANDMEMBER k -2");
    assert_eq!(line(Build.srem("k", ["a", "b"])), "SREM k a b");
    let options = ScanOptions::new().matching("a*").count(9);
    assert_eq!(line(Build.sscan::<String>("k", Cursor::START, options)), "SSCAN k 0 MATCH a* COUNT 9");
    assert_eq!(line(Build.sunion::<Names>(["a", "b"])), "SUNION a b");
    assert_eq!(line(Build.sunionstore("d", ["a", "b"])), "SUNIONSTORE d a b");
}

#[test]
fn empty_variadics_are_not_sent() {
    let nothing: [&str; 0] = [];
    assert_eq!(refusal(Build.sadd("k", nothing)), "SADD: needs at least one member; nothing was sent");
    assert!(refusal(Build.sinter::<Names>(nothing)).contains("at least one key"));
    assert!(refusal(Build.sintercard(nothing, None)).contains("at least one key"));
    assert!(refusal(Build.smismember("k", nothing)).contains("at least one member"));
}
