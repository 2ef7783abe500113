//! Numbers and texts at the limits of their types, in Lua as in Rust.

use redis_model::prelude::*;

use crate::{no_drift, servers};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "num", index(text, big))]
struct Num {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    big: i128,
    #[redis(index)]
    huge: u128,
    #[redis(index)]
    float: Option<f64>,
    #[redis(index)]
    text: String,
    #[redis(index)]
    small: i8,
}

fn num(id: u64) -> Num {
    Num { id, big: 0, huge: 0, float: None, text: String::new(), small: 0 }
}

#[tokio::test]
async fn integers_reach_the_bounds_of_their_types() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        Num { big: i128::MAX - 1, huge: u128::MAX - 1, small: 126, ..num(1) }.insert(redis).await?;
        Num::patch(1).incr(Num::BIG, 1).incr(Num::HUGE, 1).incr(Num::SMALL, 1).exec(redis).await?;
        let loaded = Num::load(redis, 1).await?.unwrap();
        assert_eq!((loaded.big, loaded.huge, loaded.small), (i128::MAX, u128::MAX, i8::MAX));
        no_drift::<Num>(redis).await?;
        for over in [Num::patch(1).incr(Num::BIG, 1), Num::patch(1).incr(Num::HUGE, 1)] {
            assert!(over.exec(redis).await.unwrap_err().is_conflict());
        }

        let down = Num::patch(1).incr(Num::BIG, i128::MIN).incr(Num::HUGE, -i128::MAX).incr(Num::SMALL, -255);
        down.exec(redis).await?;
        let loaded = Num::load(redis, 1).await?.unwrap();
        assert_eq!((loaded.big, loaded.huge, loaded.small), (-1, u128::MAX - i128::MAX as u128, i8::MIN));
        no_drift::<Num>(redis).await?;
        assert!(Num::patch(1).incr(Num::BIG, i128::MIN).exec(redis).await.unwrap_err().is_conflict());
        Num::patch(1).incr(Num::BIG, i128::MIN + 1).exec(redis).await?;
        assert_eq!(Num::load(redis, 1).await?.unwrap().big, i128::MIN);
        no_drift::<Num>(redis).await?;
    }
    Ok(())
}

#[tokio::test]
async fn sums_of_floats_are_those_of_rust() -> Result<()> {
    let sums = [
        (-0.0, 0.0),
        (0.0, -0.0),
        (-0.0, -0.0),
        (5e-324, 5e-324),
        (5e-324, -5e-324),
        (0.1, 0.2),
        (1e308, 7e307),
        (f64::MAX, -f64::MAX),
        (2.225_073_858_507_201_4e-308, -5e-324),
        (1e16, 1.0),
        (9_007_199_254_740_992.0, 1.0),
        (1e-7, 1e-7),
        (-1e21, 1e5),
        (123_456.789e3, 1e-9),
    ];
    for server in servers() {
        let redis = &server.redis();
        for (id, (old, by)) in (1..).zip(sums) {
            Num { float: Some(old), ..num(id) }.save(redis).await?;
            let sum = Num::patch(id).incr_by_float(Num::FLOAT, by).returning(Num::FLOAT).exec(redis).await?.unwrap();
            let loaded = Num::load(redis, id).await?.unwrap().float.unwrap();
            assert_eq!((sum.to_bits(), loaded.to_bits()), ((old + by).to_bits(), sum.to_bits()), "{old} + {by}");
            assert!(Num::query().eq(Num::FLOAT, loaded).ids(redis).await?.items.contains(&id));
        }
        no_drift::<Num>(redis).await?;

        Num { float: Some(1e308), ..num(99) }.save(redis).await?;
        assert!(Num::patch(99).incr_by_float(Num::FLOAT, 1e308).exec(redis).await.unwrap_err().is_conflict());
        for not_finite in [f64::NAN, f64::INFINITY] {
            let patch = Num::patch(99).incr_by_float(Num::FLOAT, not_finite);
            assert!(patch.exec(redis).await.unwrap_err().is_invalid_input());
        }
        assert!(Num::patch(99).set(Num::FLOAT, f64::NAN).exec(redis).await.unwrap_err().is_invalid_input());
        assert!(Num { float: Some(f64::NAN), ..num(99) }.save(redis).await.unwrap_err().is_invalid_input());
        no_drift::<Num>(redis).await?;
    }
    Ok(())
}

/// Bytes that are escaped in an entry count once.
#[tokio::test]
async fn a_text_of_1024_bytes_is_the_longest() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        for (id, unit) in (1..).zip(["x", "\0", "\u{1}", "\u{2}"]) {
            Num { text: unit.repeat(1024), ..num(id) }.insert(redis).await?;
            assert!(Num { text: unit.repeat(1025), ..num(id) }.save(redis).await.unwrap_err().is_invalid_input());
            let longer = Num::patch(id).set(Num::TEXT, unit.repeat(1025));
            assert!(longer.exec(redis).await.unwrap_err().is_invalid_input());
            assert!(Num::patch(id).append(Num::TEXT, unit).exec(redis).await.unwrap_err().is_conflict());
            Num::patch(id).set(Num::TEXT, unit.repeat(1000)).exec(redis).await?;
            Num::patch(id).append(Num::TEXT, unit.repeat(24)).exec(redis).await?;
            assert_eq!(Num::query().eq(Num::TEXT, unit.repeat(1024)).ids(redis).await?.items, [id]);
            assert_eq!(Num::query().prefix(Num::TEXT, unit.repeat(1000)).ids(redis).await?.items, [id]);
        }
        no_drift::<Num>(redis).await?;
    }
    Ok(())
}
