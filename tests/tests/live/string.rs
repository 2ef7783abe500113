use std::time::{Duration, SystemTime};

use redis_model::redis_rest::commands::expiry::{Expiry, GetExpiry, Ttl};
use redis_model::redis_rest::commands::string::SetOptions;
use redis_model::redis_rest::{GenericCommands as _, Json, Result, StringCommands};
use redis_model_tests::via::{Via, everywhere};
use redis_model_tests::{key, valkey};

async fn strings(redis: &Via) -> Result<()> {
    let k = &key("string");
    assert_eq!(redis.append(k, "Hello").await?, 5);
    assert_eq!(redis.append(k, " World").await?, 11);
    assert_eq!(redis.strlen(k).await?, 11);
    assert_eq!(redis.getrange::<String>(k, 0, 4).await?, "Hello");
    assert_eq!(redis.setrange(k, 6, "Redis").await?, 11);
    assert_eq!(redis.get::<String>(k).await?.as_deref(), Some("Hello Redis"));
    assert_eq!(redis.getset::<String>(k, "1").await?.as_deref(), Some("Hello Redis"));
    assert_eq!(redis.getdel::<u8>(k).await?, Some(1));
    assert_eq!(redis.get::<String>(k).await?, None);
    assert_eq!(redis.strlen(k).await?, 0);
    Ok(())
}

async fn counters(redis: &Via) -> Result<()> {
    let k = &key("counter");
    assert_eq!(redis.incr(k).await?, 1);
    assert_eq!(redis.incrby(k, 41).await?, 42);
    assert_eq!(redis.decr(k).await?, 41);
    assert_eq!(redis.decrby(k, -1).await?, 42);
    assert_eq!(redis.incrbyfloat(k, 0.5).await?, 42.5);
    assert_eq!(redis.get::<f64>(k).await?, Some(42.5));
    redis.set(k, i64::MAX - 1).await?;
    assert_eq!(redis.incr(k).await?, i64::MAX);
    assert!(redis.incr(k).await.unwrap_err().to_string().contains("overflow"));
    Ok(())
}

async fn several(redis: &Via) -> Result<()> {
    let (a, b, c) = (&key("a"), &key("b"), &key("c"));
    redis.mset([(a, 1), (b, 2)]).await?;
    assert_eq!(redis.mget::<i64>([a, c, b]).await?, [Some(1), None, Some(2)]);
    assert!(!redis.msetnx([(c, 3), (a, 4)]).await?);
    assert!(redis.msetnx([(c, 3)]).await?);
    assert_eq!(redis.get::<i64>(c).await?, Some(3));
    Ok(())
}

async fn conditions(redis: &Via) -> Result<()> {
    let k = &key("conditions");
    assert!(!redis.set_with(k, 1, SetOptions::new().xx()).await?);
    assert!(redis.set_with(k, 1, SetOptions::new().nx()).await?);
    assert!(!redis.set_with(k, 2, SetOptions::new().nx()).await?);
    assert!(redis.set_with(k, 2, SetOptions::new()).await?);
    assert!(!redis.setnx(k, 3).await?);
    assert_eq!(redis.set_get::<i64>(k, 3, SetOptions::new()).await?, Some(2));
    assert_eq!(
        redis.set_get::<i64>(k, 4, SetOptions::new().nx()).await?,
        Some(3),
        "the value that is there, unchanged"
    );
    assert_eq!(redis.set_get::<i64>(&key("none"), 1, SetOptions::new()).await?, None);
    Ok(())
}

async fn expiry(redis: &Via) -> Result<()> {
    let k = &key("expiry");
    let hour = Duration::from_secs(3600);
    let left = async || Ok::<_, redis_model::Error>(redis.pttl(k).await?.expires().unwrap_or_default());
    redis.setex(k, hour, "v").await?;
    assert!(left().await? > hour / 2);
    redis.psetex(k, 2 * hour, "v").await?;
    assert!(left().await? > hour);
    assert!(redis.set_with(k, "v", SetOptions::new().keepttl()).await?);
    assert!(left().await? > hour);
    assert!(redis.set_with(k, "v", SetOptions::new().expire(Expiry::at(SystemTime::now() + hour))).await?);
    assert!(left().await? < hour + hour / 2);
    assert_eq!(redis.getex::<String>(k, GetExpiry::Expire(Expiry::millis(7_200_500))).await?.as_deref(), Some("v"));
    assert!(left().await? > hour);
    redis.getex::<String>(k, GetExpiry::Persist).await?;
    assert_eq!(redis.pttl(k).await?, Ttl::Persistent);
    redis.set_with(k, "v", SetOptions::new().expire(Expiry::seconds(60))).await?;
    redis.set(k, "v").await?;
    assert_eq!(redis.ttl(k).await?, Ttl::Persistent, "a plain SET removes the expiry");
    Ok(())
}

async fn json(redis: &Via) -> Result<()> {
    let k = &key("json");
    redis.set(k, Json(["é", "\""])).await?;
    assert_eq!(redis.get::<Json<Vec<String>>>(k).await?, Some(Json(vec!["é".to_owned(), "\"".to_owned()])));
    let error = redis.get::<Json<u8>>(k).await.unwrap_err();
    assert!(error.is_decode() && error.to_string().starts_with("GET: expected JSON of u8"), "{error}");
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        strings(redis).await?;
        counters(redis).await?;
        several(redis).await?;
        conditions(redis).await?;
        expiry(redis).await?;
        json(redis).await?;
    }
    Ok(())
}

/// Redis 8.2 does not know it, Valkey 9 does. `DELEX` and `DIGEST` are of Redis 8.4, and run nowhere here.
#[tokio::test]
async fn set_if_equal_on_valkey() -> Result<()> {
    let redis = valkey().redis();
    let k = &key("ifeq");
    redis.set(k, "old").await?;
    assert!(!redis.set_with(k, "new", SetOptions::new().ifeq("other")).await?);
    assert!(redis.set_with(k, "new", SetOptions::new().ifeq("old")).await?);
    assert_eq!(redis.get::<String>(k).await?.as_deref(), Some("new"));
    Ok(())
}
