//! The scripts of writes: the keys that they touch, and values that they encode as Rust does.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{Strategy as _, any, prop, prop_assert_eq, proptest};
use proptest::test_runner::Config;
use redis_model::Unit;
use redis_model::hash::{IndexValue, SaveOptions};
use redis_model::prelude::*;
use redis_model::redis_rest::blocking;
use redis_model_tests::fault::Mutated;
use redis_model_tests::{own_stack, stack};

use super::{Item, Session, User, item, session, user};

/// Makes the script fail if it touches a key that it was not called with.
const GUARDED: &str = "\
local real, declared = redis, {} \
for _, key in ipairs(KEYS) do declared[key] = true end \
local function guarded(call) return function(command, key, ...) \
if command == 'TIME' then return call(command) end \
if not declared[key] then error('not declared: ' .. tostring(key)) end \
return call(command, key, ...) end end \
local redis = { call = guarded(real.call), pcall = guarded(real.pcall) } \
";

const FIRST_LINE: &str = "local args, keys = ARGV, KEYS";

#[tokio::test]
async fn scripts_touch_declared_keys_only() -> Result<()> {
    let server = own_stack();
    let guarded = |more: &str| {
        let wrong: &'static str = Box::leak(format!("{GUARDED}{more}{FIRST_LINE}").into_boxed_str());
        server
            .builder()
            .wrap_transport(move |inner| Mutated { inner: Arc::clone(&inner), right: FIRST_LINE, wrong })
            .build()
    };
    let error = user(1).insert(&guarded("redis.call('GET', 'other') ")?).await.unwrap_err();
    assert!(error.message().contains("not declared"), "{error}");

    let redis = &guarded("")?;
    let soon = SaveOptions::new().ttl(Duration::from_millis(10));
    for round in 0..3 {
        user(1).save_with(redis, soon).await?;
        assert!(item(1, &["a", "b"]).insert(redis).await.is_ok());
        item(1, &["b", "c"]).update(redis).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        // Expired owners, owners that are gone, records without rows, several models and parts.
        assert_eq!(User { email: user(1).email, ..user(2) }.insert(redis).await?, 1);
        redis.del("user:2").await?;
        assert_eq!(User { email: user(1).email, ..user(3) }.insert(redis).await?, 1);
        redis.hdel("user::rows", "3").await?;
        User::patch(3).incr(User::AGE, 1).append(User::BIO, "x").returning(User::AGE).exec(redis).await?;
        assert!(User::expire(redis, 3, Duration::from_secs(60)).await?);
        let mut unit = Unit::new().delete::<User>(3).insert(&user(4));
        for id in 10..20 {
            unit = unit.save(&item(id, &["x", "y"]));
        }
        unit.patch(Item::patch(1).set(Item::NAME, format!("round {round}"))).commit(redis).await?;
        session(1).save(redis).await?;
        Session::load(redis, 1).await?;
        for id in 0..20 {
            Item::delete(redis, id).await?;
            User::delete(redis, id).await?;
        }
    }
    Ok(())
}

/// Runs code after that of the scripts' values, with one result for each argument.
fn in_lua(redis: &blocking::Redis, code: &str, args: &[String]) -> Vec<String> {
    let rows = include_str!("../../../../mapper/src/scripts/rows.lua");
    let values = include_str!("../../../../mapper/src/scripts/values.lua");
    let script = format!(
        "{rows} {values} local results = {{}} for at = 1, #ARGV do local arg = ARGV[at] results[at] = {code} end return results"
    );
    redis.eval(script, (), args.to_vec()).unwrap()
}

fn in_rust<T: IndexValue>(values: &[T]) -> Vec<String> {
    let encode = |value: &T| {
        let mut text = String::new();
        value.push_index(&mut text).unwrap();
        text
    };
    values.iter().map(encode).collect()
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

#[test]
fn lua_encodes_values_as_rust_does() {
    let redis = stack().blocking();
    proptest!(Config::with_cases(40), |(
        signed in prop::collection::vec(any::<i128>(), 20),
        small in prop::collection::vec(any::<i8>(), 20),
        unsigned in prop::collection::vec(any::<u128>(), 20),
        floats in prop::collection::vec(prop::num::f64::ANY.prop_filter("not NaN", |float| !float.is_nan()), 40),
        subnormal in prop::collection::vec(prop::num::f64::SUBNORMAL, 20),
        words in prop::collection::vec("[\u{0}-\u{3}a-cé🦀]{0,12}", 40),
    )| {
        prop_assert_eq!(in_lua(&redis, "encode_integer(arg)", &texts(&signed)), in_rust(&signed));
        prop_assert_eq!(in_lua(&redis, "encode_integer(arg)", &texts(&small)), in_rust(&small));
        prop_assert_eq!(in_lua(&redis, "encode_integer(arg)", &texts(&unsigned)), in_rust(&unsigned));
        for floats in [&floats, &subnormal, &vec![0.0, -0.0, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY]] {
            prop_assert_eq!(in_lua(&redis, "encode_float(float_of(arg))", &texts(floats)), in_rust(floats));
            let read: Vec<f64> =
                in_lua(&redis, "float_text(float_of(arg))", &texts(floats)).iter().map(|text| text.parse().unwrap()).collect();
            prop_assert_eq!(&read, floats);
        }
        prop_assert_eq!(in_lua(&redis, "encode_text(arg)", &words), in_rust(&words));
    });
}

#[test]
fn lua_adds_integers_as_rust_does() {
    let redis = stack().blocking();
    let small = -10_000_i128..10_000;
    let any_size = any::<i64>().prop_map(i128::from);
    proptest!(Config::with_cases(40), |(
        pairs in prop::collection::vec((any_size, any::<i64>().prop_map(i128::from)), 40),
        close in prop::collection::vec((small.clone(), small), 40),
        large in prop::collection::vec((any::<i128>().prop_map(|int| int / 2), any::<i128>().prop_map(|int| int / 2)), 40),
    )| {
        for pairs in [pairs, close, large] {
            let args: Vec<String> = pairs.iter().map(|(left, right)| format!("{left} {right}")).collect();
            let split = |function: &str| {
                format!("(function(a, b) return tostring({function}(a, b)) end)(string.match(arg, '(%S+) (%S+)'))")
            };
            let sums: Vec<i128> = pairs.iter().map(|(left, right)| left + right).collect();
            let less: Vec<bool> = pairs.iter().map(|(left, right)| left < right).collect();
            prop_assert_eq!(in_lua(&redis, &split("add_integers"), &args), texts(&sums));
            prop_assert_eq!(in_lua(&redis, &split("is_less_integer"), &args), texts(&less));
        }
    });
}
