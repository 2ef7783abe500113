//! Bitmaps, and the two small families: `HyperLogLog` and connection.

use redis_model::redis_rest::commands::bitmap::{Bit, BitField, BitOperation, BitRange, BitType};
use redis_model::redis_rest::{BitmapCommands, Build, ConnectionCommands, HyperLogLogCommands};

use crate::{line, refusal};

#[test]
fn bitmaps() {
    assert_eq!(line(Build.bitcount("k", None)), "BITCOUNT k");
    assert_eq!(line(Build.bitcount("k", Some(BitRange::bytes(0, -1)))), "BITCOUNT k 0 -1");
    assert_eq!(line(Build.bitcount("k", Some(BitRange::bits(0, 7)))), "BITCOUNT k 0 7 BIT");
    assert_eq!(line(Build.bitcount("k", Some(BitRange::bytes_from(2)))), "BITCOUNT k 2 -1");
    assert_eq!(line(Build.bitpos("k", Bit::One, None)), "BITPOS k 1");
    assert_eq!(line(Build.bitpos("k", Bit::Zero, Some(BitRange::bytes_from(2)))), "BITPOS k 0 2");
    assert_eq!(line(Build.bitpos("k", Bit::Zero, Some(BitRange::bits(2, -1)))), "BITPOS k 0 2 -1 BIT");
    assert_eq!(line(Build.getbit("k", 7)), "GETBIT k 7");
    assert_eq!(line(Build.setbit("k", 7, Bit::One)), "SETBIT k 7 1");
    let operations = [
        (BitOperation::And, "AND"),
        (BitOperation::Or, "OR"),
        (BitOperation::Xor, "XOR"),
        (BitOperation::Not, "NOT"),
        (BitOperation::Diff, "DIFF"),
        (BitOperation::Diff1, "DIFF1"),
        (BitOperation::AndOr, "ANDOR"),
        (BitOperation::One, "ONE"),
    ];
    for (operation, word) in operations {
        assert_eq!(line(Build.bitop(operation, "d", ["a", "b"])), format!("BITOP {word} d a b"));
    }
    let chain = BitField::new()
        .get(BitType::signed(5), 100)
        .fail()
        .set(BitType::unsigned(8), BitType::slot(1), 255)
        .wrap()
        .incr_by(BitType::signed(64), 0, -1)
        .saturate();
    assert_eq!(
        line(Build.bitfield("k", chain)),
        "BITFIELD k GET i5 100 OVERFLOW FAIL SET u8 #1 255 OVERFLOW WRAP INCRBY i64 0 -1 OVERFLOW SAT"
    );
    assert_eq!(line(Build.bitfield_ro("k", BitField::new().get(BitType::unsigned(63), 0))), "BITFIELD_RO k GET u63 0");
}

#[test]
fn small_families() {
    assert_eq!(line(Build.pfadd("k", ["a", "b"])), "PFADD k a b");
    assert_eq!(line(Build.pfcount(["a", "b"])), "PFCOUNT a b");
    assert_eq!(line(Build.pfmerge("d", ["a", "b"])), "PFMERGE d a b");
    assert_eq!(line(Build.echo::<String>("hi")), "ECHO hi");
    assert_eq!(line(Build.ping()), "PING");
    assert_eq!(line(Build.ping_with::<String>("hi")), "PING hi");
    assert_eq!(line(Build.select(0)), "SELECT 0");
}

#[test]
fn what_redis_would_refuse_is_not_sent() {
    assert!(refusal(Build.bitfield("k", BitField::new())).contains("at least one operation"));
    assert!(refusal(Build.bitfield("k", BitField::new().get(BitType::unsigned(64), 0))).contains("1 to 63"));
    assert!(refusal(Build.bitfield("k", BitField::new().get(BitType::signed(0), 0))).contains("1 to 64"));
    assert!(refusal(Build.bitfield_ro("k", BitField::new().set(BitType::signed(8), 0, 1))).contains("only reads"));
    assert!(refusal(Build.bitop(BitOperation::And, "d", [] as [&str; 0])).contains("at least one key"));
    assert!(refusal(Build.pfcount([] as [&str; 0])).contains("at least one key"));
    assert!(refusal(Build.select(1)).contains("only database 0"));
}
