//! Records without indexes.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use redis_model::Error;
use redis_model::commands::expiry::Ttl;
use redis_model::prelude::*;
use redis_model_tests::{clients, stack, valkey};

use super::{Message, Place, Settings};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", rename_all = "camelCase")]
struct User {
    #[redis(id)]
    id: u64,
    full_name: String,
    #[redis(alias = "mail")]
    email: Option<String>,
    country: Country,
    score: Score,
    rate: f64,
    active: bool,
    address: Option<IpAddr>,
    #[redis(default)]
    visits: i64,
    #[redis(default = unlimited)]
    quota: u32,
    #[redis(skip)]
    cache: Vec<u8>,
    #[redis(json)]
    settings: Settings,
    #[redis(json)]
    draft: Option<Settings>,
    #[redis(bincode)]
    embedding: Vec<f32>,
    #[redis(base64)]
    avatar: Vec<u8>,
    #[redis(flatten)]
    place: Place,
}

fn unlimited() -> u32 {
    u32::MAX
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(rename_all = "lowercase")]
enum Country {
    Tr,
    #[redis(alias = "gb")]
    Uk,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
struct Score(f64);

fn user(id: u64) -> User {
    User {
        id,
        full_name: "Ada \"é\" 🦀\n".into(),
        email: Some(String::new()),
        country: Country::Uk,
        score: Score(0.1),
        rate: f64::INFINITY,
        active: true,
        address: None,
        visits: i64::MIN,
        quota: 7,
        cache: Vec::new(),
        settings: Settings { dark: true, tags: vec!["a,b".into()] },
        draft: None,
        embedding: vec![0.5, -1.0],
        avatar: (0..=255).collect(),
        place: Place { city: "London".into(), zip: None },
    }
}

#[tokio::test]
async fn a_record_comes_back_as_it_went() -> Result<()> {
    for (redis, id) in clients().iter().zip(1000..) {
        assert_eq!(User::load(redis, id).await?, None);
        user(id).save(redis).await?;
        assert_eq!(User::load(redis, id).await?, Some(user(id)));
        assert!(User::exists(redis, id).await?);
        assert_eq!(User::load_field(redis, id, User::SCORE).await?, Some(Score(0.1)));
        assert_eq!(User::load_field(redis, id, User::EMAIL).await?, Some(String::new()));
        assert_eq!(User::load_field(redis, id, User::DRAFT).await?, None);
        assert_eq!(User::load_field(redis, id, User::SETTINGS).await?.map(|settings| settings.dark), Some(true));
        assert!(User::delete(redis, id).await?);
        assert!(!User::delete(redis, id).await?);
    }
    Ok(())
}

#[tokio::test]
async fn none_removes_a_field_and_unknown_fields_stay() -> Result<()> {
    let redis = stack().redis();
    let k = User::key(1)?;
    redis.hset(&k, [("unknown", "kept"), ("mail", "old@name")]).await?;
    user(1).save(&redis).await?;
    let cleared = User { email: None, place: Place { zip: None, ..user(1).place }, ..user(1) };
    cleared.save(&redis).await?;
    assert_eq!(User::load(&redis, 1).await?, Some(cleared), "the alias is gone too");
    assert_eq!(redis.hmget::<String>(&k, ["unknown", "mail", "email"]).await?, [Some("kept".into()), None, None]);
    Ok(())
}

#[tokio::test]
async fn insert_creates_and_update_changes() -> Result<()> {
    for (stack, id) in [(stack(), 10), (valkey(), 11)] {
        let redis = stack.redis();
        let error = user(id).update(&redis).await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert!(!User::exists(&redis, id).await?);
        user(id).insert(&redis).await?;
        let other = User { full_name: "Other".into(), email: None, ..user(id) };
        let error = other.insert(&redis).await.unwrap_err();
        assert!(error.is_already_exists() && !error.may_have_executed(), "{error}");
        assert_eq!(User::load(&redis, id).await?, Some(user(id)));
        other.update(&redis).await?;
        assert_eq!(User::load(&redis, id).await?, Some(other));
    }
    Ok(())
}

#[tokio::test]
async fn records_expire() -> Result<()> {
    let redis = stack().redis();
    assert!(!User::expire(&redis, 20, Duration::from_secs(60)).await?);
    assert_eq!(User::ttl(&redis, 20).await?, Ttl::Missing);
    user(20).save(&redis).await?;
    assert!(User::expire(&redis, 20, Duration::from_secs(60)).await?);
    user(20).save(&redis).await?;
    assert!(matches!(User::ttl(&redis, 20).await?, Ttl::Expires(_)), "a save keeps it");
    assert!(User::persist(&redis, 20).await?);
    assert_eq!(User::ttl(&redis, 20).await?, Ttl::Persistent);
    Ok(())
}

#[tokio::test]
async fn many_in_one_request() -> Result<()> {
    let redis = stack().redis();
    for id in [30, 31] {
        user(id).save(&redis).await?;
    }
    assert_eq!(User::load_many(&redis, [31, 39, 30]).await?, [Some(user(31)), None, Some(user(30))]);
    assert!(User::load_many(&redis, []).await?.is_empty());
    assert_eq!(User::load_many(&stack().blocking(), [30])?, [Some(user(30))]);
    Ok(())
}

#[tokio::test]
async fn models_on_every_executor() -> Result<()> {
    let redis = stack().redis();
    let ((), loaded, deleted) = redis.pipeline().save(&user(40)).load::<User>(40).delete::<User>(40).exec().await?;
    assert_eq!((loaded, deleted), (Some(user(40)), true));
    let mut batch = redis.batch();
    let slots: Vec<_> = (41..44).map(|id| (batch.insert(&user(id)), batch.load::<User>(id))).collect();
    let replies = batch.exec().await?;
    for (slot, id) in slots.into_iter().zip(41..) {
        replies.take(slot.0)?;
        assert_eq!(replies.take(slot.1)?, Some(user(id)));
    }
    let blocking = stack().blocking();
    user(45).save(&blocking)?;
    assert_eq!(User::load(&blocking, 45)?, Some(user(45)));
    assert_eq!(Message::list("blocking").len(&blocking)?, 0);
    Ok(())
}

#[tokio::test]
async fn errors_name_model_key_field_type_and_what_was_found() -> Result<()> {
    let redis = stack().redis();
    let broken = async |field: &str, value: &str| {
        user(50).save(&redis).await?;
        redis.hset("user:50", [(field, value)]).await?;
        Ok::<_, Error>(User::load(&redis, 50).await.unwrap_err())
    };
    let error = broken("visits", "12x").await?;
    assert_eq!((error.model(), error.key(), error.field()), (Some("User"), Some("user:50"), Some("visits")));
    assert_eq!(error.to_string(), "HGETALL for User at \"user:50\": field \"visits\": expected i64, found \"12x\"");
    let error = broken("country", "mars").await?;
    assert!(
        error.to_string().ends_with("field \"country\": expected Country, one of `tr`, `uk`, found \"mars\""),
        "{error}"
    );
    let error = broken("settings", "{").await?;
    assert!(
        error.is_decode() && error.to_string().ends_with("EOF while parsing an object at line 1 column 1"),
        "{error}"
    );
    assert!(broken("embedding", "!").await?.to_string().contains("expected Vec<f32>"));
    redis.hdel("user:50", ["fullName"]).await?;
    redis.hset("user:50", [("embedding", "AA==")]).await?;
    user(50).save(&redis).await?;
    redis.hdel("user:50", ["fullName"]).await?;
    let error = User::load(&redis, 50).await.unwrap_err();
    assert!(error.to_string().contains("field \"fullName\": missing; expected String"), "{error}");
    redis.execute::<i64>(["HSET", "user:50", "fullName", "x", "rate", "fast"]).await?;
    let error = User::load_field(&redis, 50, User::RATE).await.unwrap_err();
    assert_eq!(error.to_string(), "HGET for User at \"user:50\": field \"rate\": expected f64, found \"fast\"");
    Ok(())
}

#[tokio::test]
async fn another_type_of_key_is_an_error_and_stays_as_it_is() -> Result<()> {
    let redis = stack().redis();
    redis.set("user:60", "text").await?;
    for error in [
        User::load(&redis, 60).await.unwrap_err(),
        user(60).save(&redis).await.unwrap_err(),
        user(60).insert(&redis).await.unwrap_err(),
        user(60).update(&redis).await.unwrap_err(),
    ] {
        assert!(error.is_wrong_type() && error.key() == Some("user:60") && !error.may_have_executed(), "{error:?}");
    }
    assert_eq!(redis.get::<String>("user:60").await?.as_deref(), Some("text"));
    Ok(())
}

#[tokio::test]
async fn missing_fields_have_their_defaults() -> Result<()> {
    let redis = stack().redis();
    user(70).save(&redis).await?;
    redis.hdel("user:70", ["visits", "quota", "email"]).await?;
    redis.hset("user:70", [("mail", "by@alias")]).await?;
    let loaded = User::load(&redis, 70).await?.unwrap();
    assert_eq!((loaded.visits, loaded.quota, loaded.email.as_deref()), (0, u32::MAX, Some("by@alias")));
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "scanned*[x]")]
struct Scanned {
    #[redis(id)]
    id: u16,
    nothing: Option<String>,
}

#[tokio::test]
async fn scan_finds_every_record_and_nothing_else() -> Result<()> {
    let redis = stack().redis();
    let mut batch = redis.batch();
    let slots: Vec<_> = (0..1200).map(|id| batch.save(&Scanned { id, nothing: None })).collect();
    let replies = batch.exec().await?;
    slots.into_iter().try_for_each(|slot| replies.take(slot))?;
    redis.hset("scanned*[x]:unique:email", [("a", 1)]).await?;
    redis.hset("scanned*[x]:notanumber", [("a", 1)]).await?;
    redis.set("scanned*[x]:99", 1).await.ok();
    redis.hset("scannedZx:7", [("id", 7)]).await?;
    let found: HashSet<u16> = Scanned::scan(&redis).collect().await?.into_iter().map(|record| record.id).collect();
    assert_eq!(found.len(), 1199, "all but the one that is no hash any more");
    // They read as the id 7, but `load(7)` reads none of them.
    for foreign in ["007", "+7", "0007"] {
        redis.hset(format!("scanned*[x]:{foreign}"), [("id", 7)]).await?;
    }
    let options = redis_model::hash::RecordScanOptions::new().matching("*0*07");
    let found = Scanned::scan_with(&redis, options).collect().await?;
    assert!(found.iter().all(|record| record.id == 1007), "{found:?}");
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pair")]
struct Pair<T, const N: usize> {
    #[redis(id)]
    id: u64,
    value: T,
    #[redis(json)]
    more: Vec<T>,
}

#[tokio::test]
async fn generic_models() -> Result<()> {
    let redis = stack().redis();
    let pair = Pair::<i32, 3> { id: 1, value: -5, more: vec![1, 2] };
    pair.save(&redis).await?;
    assert_eq!(Pair::load(&redis, 1).await?, Some(pair));
    assert!(Pair::<bool, 3>::load(&redis, 1).await.unwrap_err().is_decode());
    Ok(())
}
