use std::time::{Duration, UNIX_EPOCH};

use redis_model::redis_rest::commands::expiry::{Expiry, GetExpiry};
use redis_model::redis_rest::commands::string::{Compare, SetOptions};
use redis_model::redis_rest::{Build, Json, StringCommands};

use crate::{line, refusal};

#[test]
fn strings() {
    assert_eq!(line(Build.append("k", "v")), "APPEND k v");
    assert_eq!(line(Build.decr("k")), "DECR k");
    assert_eq!(line(Build.decrby("k", 5)), "DECRBY k 5");
    assert_eq!(line(Build.delex("k", Compare::ifeq("v"))), "DELEX k IFEQ v");
    assert_eq!(line(Build.delex("k", Compare::ifne(&7))), "DELEX k IFNE 7");
    assert_eq!(line(Build.delex("k", Compare::ifdeq("b6acb9d8"))), "DELEX k IFDEQ b6acb9d8");
    assert_eq!(line(Build.delex("k", Compare::ifdne("b6acb9d8"))), "DELEX k IFDNE b6acb9d8");
    assert_eq!(line(Build.digest("k")), "DIGEST k");
    assert_eq!(line(Build.get::<String>("k")), "GET k");
    assert_eq!(line(Build.getdel::<String>("k")), "GETDEL k");
    assert_eq!(line(Build.getrange::<String>("k", 0, -1)), "GETRANGE k 0 -1");
    assert_eq!(line(Build.getset::<String>("k", "v")), "GETSET k v");
    assert_eq!(line(Build.incr("k")), "INCR k");
    assert_eq!(line(Build.incrby("k", -5)), "INCRBY k -5");
    assert_eq!(line(Build.incrbyfloat("k", 0.1)), "INCRBYFLOAT k 0.1");
    assert_eq!(line(Build.mget::<String>(["a", "b"])), "MGET a b");
    assert_eq!(line(Build.mset([("a", 1), ("b", 2)])), "MSET a 1 b 2");
    assert_eq!(line(Build.msetnx([("a", 1), ("b", 2)])), "MSETNX a 1 b 2");
    assert_eq!(line(Build.psetex("k", Duration::from_millis(1500), "v")), "PSETEX k 1500 v");
    assert_eq!(line(Build.set("k", "v")), "SET k v");
    assert_eq!(line(Build.setex("k", Duration::from_secs(9), "v")), "SETEX k 9 v");
    assert_eq!(line(Build.setnx("k", "v")), "SETNX k v");
    assert_eq!(line(Build.setrange("k", 6, "v")), "SETRANGE k 6 v");
    assert_eq!(line(Build.strlen("k")), "STRLEN k");
}

#[test]
fn options_stand_in_their_documented_order() {
    let set = |options| line(Build.set_with("k", "v", options));
    assert_eq!(set(SetOptions::new()), "SET k v");
    assert_eq!(set(SetOptions::new().nx().expire(Expiry::seconds(9))), "SET k v NX EX 9");
    assert_eq!(set(SetOptions::new().keepttl().xx()), "SET k v XX KEEPTTL");
    assert_eq!(set(SetOptions::new().ifeq("old")), "SET k v IFEQ old");
    assert_eq!(set(SetOptions::new().ifne(&7)), "SET k v IFNE 7");
    assert_eq!(set(SetOptions::new().ifdeq("b6acb9d8")), "SET k v IFDEQ b6acb9d8");
    assert_eq!(set(SetOptions::new().ifdne("b6acb9d8")), "SET k v IFDNE b6acb9d8");
    assert_eq!(set(SetOptions::new().expire(Expiry::millis(1500))), "SET k v PX 1500");
    assert_eq!(set(SetOptions::new().expire(Expiry::at(UNIX_EPOCH + Duration::from_secs(9)))), "SET k v EXAT 9");
    assert_eq!(set(SetOptions::new().expire(Expiry::at(UNIX_EPOCH + Duration::from_millis(9)))), "SET k v PXAT 9");
    assert_eq!(
        line(Build.set_get::<String>("k", "v", SetOptions::new().xx().expire(Expiry::seconds(9)))),
        "SET k v XX GET EX 9"
    );
    assert_eq!(line(Build.getex::<String>("k", GetExpiry::Persist)), "GETEX k PERSIST");
    assert_eq!(line(Build.getex::<String>("k", GetExpiry::Expire(Expiry::seconds(9)))), "GETEX k EX 9");
}

#[test]
fn the_last_of_two_exclusive_options_counts() {
    let options = SetOptions::new().nx().xx().expire(Expiry::seconds(9)).keepttl();
    assert_eq!(line(Build.set_with("k", "v", options)), "SET k v XX KEEPTTL");
}

#[test]
fn durations_are_rounded_up() {
    assert_eq!(line(Build.setex("k", Duration::from_millis(1001), "v")), "SETEX k 2 v");
    assert_eq!(line(Build.psetex("k", Duration::from_nanos(1), "v")), "PSETEX k 1 v");
}

#[test]
fn values_of_every_type() {
    let long = "x".repeat(40);
    let cases = [
        (line(Build.set("k", u64::MAX)), "SET k 18446744073709551615"),
        (line(Build.set("k", i64::MIN)), "SET k -9223372036854775808"),
        (line(Build.set("k", 1e300)), "SET k 1e300"),
        (line(Build.set("k", f64::INFINITY)), "SET k inf"),
        (line(Build.set("k", 0.1_f32)), "SET k 0.1"),
        (line(Build.set("k", true)), "SET k true"),
        (line(Build.set("k", Json(["a"]))), "SET k [\"a\"]"),
        (line(Build.set(b"k", &long)), &format!("SET k {long}")),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn what_redis_would_refuse_is_not_sent() {
    let nothing: [&str; 0] = [];
    let no_pairs: [(&str, &str); 0] = [];
    assert_eq!(refusal(Build.mget::<String>(nothing)), "MGET: needs at least one key; nothing was sent");
    assert_eq!(refusal(Build.mset(no_pairs)), "MSET: needs at least one key and value; nothing was sent");
    assert!(refusal(Build.incrbyfloat("k", f64::NAN)).contains("not a finite number"));
    assert!(refusal(Build.setex("k", Duration::MAX, "v")).contains("longer than Redis can count"));
    let past = SetOptions::new().expire(Expiry::at(UNIX_EPOCH - Duration::from_secs(1)));
    assert!(refusal(Build.set_with("k", "v", past)).contains("before 1970"));
    let map = std::collections::HashMap::from([((1, 2), 3)]);
    assert!(refusal(Build.set("k", Json(map))).contains("JSON"));
}
