//! Bitmaps, and the two small families: `HyperLogLog` and connection.

use redis_model::redis_rest::commands::bitmap::{Bit, BitField, BitOperation, BitRange, BitType};
use redis_model::redis_rest::{BitmapCommands, ConnectionCommands, HyperLogLogCommands, Result, StringCommands as _};
use redis_model_tests::key;
use redis_model_tests::via::{Via, everywhere};

async fn bitmaps(redis: &Via) -> Result<()> {
    let (a, b, d) = (&key("a"), &key("b"), &key("d"));
    assert!(!redis.setbit(a, 1, Bit::One).await?);
    assert!(redis.setbit(a, 1, Bit::One).await?);
    assert!(redis.getbit(a, 1).await? && !redis.getbit(a, 99).await?);
    redis.setbit(a, 9, Bit::One).await?;
    redis.setbit(b, 9, Bit::One).await?;
    assert_eq!(redis.bitcount(a, None).await?, 2);
    assert_eq!(redis.bitcount(a, Some(BitRange::bytes(1, 1))).await?, 1);
    assert_eq!(redis.bitcount(a, Some(BitRange::bits(0, 5))).await?, 1);
    assert_eq!(redis.bitpos(a, Bit::One, None).await?, Some(1));
    assert_eq!(redis.bitpos(a, Bit::One, Some(BitRange::bits(2, -1))).await?, Some(9));
    assert_eq!(redis.bitpos(key("none"), Bit::One, None).await?, None);
    assert_eq!(redis.bitpos(a, Bit::One, Some(BitRange::bytes_from(1))).await?, Some(9));
    assert_eq!(redis.bitcount(a, Some(BitRange::bytes_from(1))).await?, 1);
    // Only a range without an end looks past the end of the bitmap.
    for bit in 0..24 {
        redis.setbit(d, bit, Bit::One).await?;
    }
    assert_eq!(redis.bitpos(d, Bit::Zero, Some(BitRange::bytes_from(1))).await?, Some(24));
    assert_eq!(redis.bitpos(d, Bit::Zero, Some(BitRange::bytes(1, -1))).await?, None);
    let expected = [
        (BitOperation::And, 1),
        (BitOperation::Or, 2),
        (BitOperation::Xor, 1),
        (BitOperation::Diff, 1),
        (BitOperation::Diff1, 0),
        (BitOperation::AndOr, 1),
        (BitOperation::One, 1),
    ];
    for (operation, count) in expected {
        assert_eq!(redis.bitop(operation, d, [a, b]).await?, 2);
        assert_eq!(redis.bitcount(d, None).await?, count, "{operation:?}");
    }
    assert_eq!(redis.bitop(BitOperation::Not, d, [a]).await?, 2);
    assert_eq!(redis.bitcount(d, None).await?, 14);
    Ok(())
}

async fn fields(redis: &Via) -> Result<()> {
    let k = &key("field");
    let byte = BitType::unsigned(8);
    let chain = BitField::new().set(byte, 0, 250).incr_by(byte, 0, 10).saturate().incr_by(byte, BitType::slot(1), 300);
    assert_eq!(redis.bitfield(k, chain).await?, [Some(0), Some(4), Some(255)]);
    let fail = BitField::new().fail().incr_by(byte, BitType::slot(1), 1).wrap().get(BitType::signed(8), 8);
    assert_eq!(redis.bitfield(k, fail).await?, [None, Some(-1)]);
    assert_eq!(redis.bitfield_ro(k, BitField::new().get(byte, 0).get(byte, 8)).await?, [4, 255]);
    assert_eq!(redis.strlen(k).await?, 2);
    Ok(())
}

async fn small_families(redis: &Via) -> Result<()> {
    let (a, b, d) = (&key("a"), &key("b"), &key("d"));
    assert!(redis.pfadd(a, 0..1000).await?);
    assert!(!redis.pfadd(a, 0..1000).await?);
    assert!(redis.pfadd(b, 500..1500).await?);
    let count = redis.pfcount([a, b]).await?;
    assert!((1400..1600).contains(&count), "{count}");
    redis.pfmerge(d, [a, b]).await?;
    assert_eq!(redis.pfcount([d]).await?, count);
    assert_eq!(redis.ping().await?, "PONG");
    assert_eq!(redis.ping_with::<String>("hé").await?, "hé");
    assert_eq!(redis.echo::<String>("OK").await?, "OK");
    redis.select(0).await?;
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        bitmaps(redis).await?;
        fields(redis).await?;
        small_families(redis).await?;
    }
    Ok(())
}
