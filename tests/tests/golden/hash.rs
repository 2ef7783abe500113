use std::time::{Duration, UNIX_EPOCH};

use redis_model::redis_rest::commands::expiry::{ExpireCondition, Expiry, GetExpiry};
use redis_model::redis_rest::commands::hash::HSetExOptions;
use redis_model::redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_model::redis_rest::{Build, HashCommands};

use crate::{line, refusal};

#[test]
fn hashes() {
    assert_eq!(line(Build.hdel("k", ["a", "b"])), "HDEL k a b");
    assert_eq!(line(Build.hexists("k", "f")), "HEXISTS k f");
    assert_eq!(line(Build.hget::<String>("k", "f")), "HGET k f");
    assert_eq!(line(Build.hgetall::<Vec<(String, String)>>("k")), "HGETALL k");
    assert_eq!(line(Build.hgetdel::<String>("k", ["a", "b"])), "HGETDEL k FIELDS 2 a b");
    assert_eq!(line(Build.hgetex::<String>("k", ["a"], GetExpiry::Persist)), "HGETEX k PERSIST FIELDS 1 a");
    assert_eq!(
        line(Build.hgetex::<String>("k", ["a"], GetExpiry::Expire(Expiry::seconds(9)))),
        "HGETEX k EX 9 FIELDS 1 a"
    );
    assert_eq!(line(Build.hincrby("k", "f", -2)), "HINCRBY k f -2");
    assert_eq!(line(Build.hincrbyfloat("k", "f", 0.5)), "HINCRBYFLOAT k f 0.5");
    assert_eq!(line(Build.hkeys::<String>("k")), "HKEYS k");
    assert_eq!(line(Build.hlen("k")), "HLEN k");
    assert_eq!(line(Build.hmget::<String>("k", ["a", "b"])), "HMGET k a b");
    assert_eq!(line(Build.hmset("k", [("a", 1), ("b", 2)])), "HMSET k a 1 b 2");
    assert_eq!(line(Build.hrandfield::<String>("k")), "HRANDFIELD k");
    assert_eq!(line(Build.hrandfield_count::<String>("k", -5)), "HRANDFIELD k -5");
    assert_eq!(line(Build.hrandfield_withvalues::<String, String>("k", 5)), "HRANDFIELD k 5 WITHVALUES");
    assert_eq!(line(Build.hset("k", [("a", "1"), ("b", "2")])), "HSET k a 1 b 2");
    assert_eq!(line(Build.hsetnx("k", "f", "v")), "HSETNX k f v");
    assert_eq!(line(Build.hstrlen("k", "f")), "HSTRLEN k f");
    assert_eq!(line(Build.hvals::<String>("k")), "HVALS k");
}

#[test]
fn fields_that_expire() {
    let minute = Duration::from_secs(60);
    let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let fields = ["a", "b"];
    assert_eq!(line(Build.hexpire("k", minute, fields)), "HEXPIRE k 60 FIELDS 2 a b");
    assert_eq!(line(Build.hexpire_with("k", minute, ["a"], ExpireCondition::Nx)), "HEXPIRE k 60 NX FIELDS 1 a");
    assert_eq!(line(Build.hexpireat("k", time, fields)), "HEXPIREAT k 1700000000 FIELDS 2 a b");
    assert_eq!(
        line(Build.hexpireat_with("k", time, ["a"], ExpireCondition::Xx)),
        "HEXPIREAT k 1700000000 XX FIELDS 1 a"
    );
    assert_eq!(line(Build.hexpiretime("k", fields)), "HEXPIRETIME k FIELDS 2 a b");
    assert_eq!(line(Build.hpersist("k", fields)), "HPERSIST k FIELDS 2 a b");
    assert_eq!(line(Build.hpexpire("k", minute, fields)), "HPEXPIRE k 60000 FIELDS 2 a b");
    assert_eq!(line(Build.hpexpire_with("k", minute, ["a"], ExpireCondition::Gt)), "HPEXPIRE k 60000 GT FIELDS 1 a");
    assert_eq!(line(Build.hpexpireat("k", time, fields)), "HPEXPIREAT k 1700000000000 FIELDS 2 a b");
    assert_eq!(
        line(Build.hpexpireat_with("k", time, ["a"], ExpireCondition::Lt)),
        "HPEXPIREAT k 1700000000000 LT FIELDS 1 a"
    );
    assert_eq!(line(Build.hpexpiretime("k", fields)), "HPEXPIRETIME k FIELDS 2 a b");
    assert_eq!(line(Build.hpttl("k", fields)), "HPTTL k FIELDS 2 a b");
    assert_eq!(line(Build.httl("k", fields)), "HTTL k FIELDS 2 a b");
}

#[test]
fn scans_and_hsetex() {
    let options = ScanOptions::new().matching("a*").count(9);
    assert_eq!(line(Build.hscan::<String, String>("k", Cursor::START, options.clone())), "HSCAN k 0 MATCH a* COUNT 9");
    assert_eq!(
        line(Build.hscan_novalues::<String>("k", Cursor::START, options)),
        "HSCAN k 0 MATCH a* COUNT 9 NOVALUES"
    );
    let hsetex = |options| line(Build.hsetex("k", [("a", "1"), ("b", "2")], options));
    assert_eq!(hsetex(HSetExOptions::new()), "HSETEX k FIELDS 2 a 1 b 2");
    assert_eq!(hsetex(HSetExOptions::new().fnx().expire(Expiry::seconds(9))), "HSETEX k FNX EX 9 FIELDS 2 a 1 b 2");
    assert_eq!(hsetex(HSetExOptions::new().fxx().keepttl()), "HSETEX k FXX KEEPTTL FIELDS 2 a 1 b 2");
}

#[test]
fn empty_variadics_are_not_sent() {
    let nothing: [&str; 0] = [];
    let no_pairs: [(&str, &str); 0] = [];
    assert_eq!(refusal(Build.hdel("k", nothing)), "HDEL: needs at least one field; nothing was sent");
    assert!(refusal(Build.hset("k", no_pairs)).contains("at least one field"));
    assert!(refusal(Build.hmget::<String>("k", nothing)).contains("at least one field"));
    assert!(refusal(Build.httl("k", nothing)).contains("at least one field"));
    assert!(refusal(Build.hsetex("k", no_pairs, HSetExOptions::new())).contains("at least one field"));
    assert!(refusal(Build.hincrbyfloat("k", "f", f64::INFINITY)).contains("finite"));
}
