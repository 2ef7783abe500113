//! Plain commands.

use std::sync::OnceLock;
use std::time::Duration;

use redis_model::redis_rest::{
    Build, Encoding, Executor as _, GenericCommands as _, ScriptingCommands as _, StringCommands as _,
};
use redis_model::{Error, Redis};

use crate::call::{Call, wrong};

type Result = std::result::Result<String, Error>;

pub async fn get(call: &Call) -> Result {
    Ok(format!("{:?}", call.redis()?.get::<String>(call.text("key")).await?))
}

pub async fn incr(call: &Call) -> Result {
    Ok(call.redis()?.incr(call.text("key")).await?.to_string())
}

pub async fn incr_once(call: &Call) -> Result {
    Ok(call.redis()?.submit(Build.incr(call.text("key")).exactly_once()).await?.to_string())
}

pub async fn basics(call: &Call) -> Result {
    let redis = call.redis()?;
    redis.set("basics", "héllo").await?;
    let found: Option<String> = redis.get("basics").await?;
    let missing: Option<String> = redis.get("basics:missing").await?;
    let by_script: String = redis.eval("return ARGV[1]", [""; 0], ["argument"]).await?;
    let wrong = redis.incr("basics").await.map_err(|error| (error.kind(), error.code().map(str::to_owned)));
    Ok(format!("{found:?} {missing:?} {by_script} {wrong:?}"))
}

pub async fn pipeline(call: &Call) -> Result {
    let redis = call.redis()?;
    redis.del(["p:a", "p:b"]).await?;
    let replies = redis.pipeline().set("p:a", 41).incr("p:a").get::<String>("p:b").mget::<u64>(["p:a", "p:b"]).exec();
    let replies = replies.await?;
    let failed = redis.pipeline().set("p:a", "text").incr("p:a").exec().await.map_err(|error| error.kind());
    Ok(format!("{replies:?} {failed:?}"))
}

pub async fn transaction(call: &Call) -> Result {
    let redis = call.redis()?;
    redis.mset([("t:1", 50), ("t:2", 0)]).await?;
    Ok(format!("{:?}", redis.transaction().decrby("t:1", 20).incrby("t:2", 20).exec().await?))
}

/// Bodies of all lengths around the one up to which they are read as a whole, and of 1 MiB, with all values of a byte.
pub async fn bytes(call: &Call) -> Result {
    for encoding in [Encoding::Base64, Encoding::Json, Encoding::Resp2] {
        let redis = call.builder().encoding(encoding).build()?;
        for length in [0, 1, 255, 256, 49_000, 49_152, 65_530, 65_536, 65_600, 1 << 20] {
            // JSON carries text alone.
            let values = if matches!(encoding, Encoding::Json) { 128 } else { 256 };
            let value: Vec<u8> = (0..length).map(|at: usize| (at * 7 % values) as u8).collect();
            redis.set("bytes", value.as_slice()).await?;
            let found: Option<Vec<u8>> = redis.get("bytes").await?;
            if found.as_ref() != Some(&value) {
                return Err(wrong((encoding, length, found.map(|found| found.len()))));
            }
        }
    }
    Ok("all".to_owned())
}

/// Times that the client computes: a time in the past deletes the key.
pub async fn expiry(call: &Call) -> Result {
    let redis = call.redis()?;
    redis.set("expiry", 1).await?;
    redis.expire("expiry", Duration::from_secs(100)).await?;
    let left = redis.ttl("expiry").await?;
    Ok(format!("{left:?}"))
}

/// Gets a key twice. A reply must not spoil the requests after it.
pub async fn twice(call: &Call) -> Result {
    let redis = call.redis()?;
    let first: Option<String> = redis.get("k").await?;
    let second: Option<String> = redis.get("k").await?;
    Ok(format!("{first:?} {second:?}"))
}

/// Returns by how many pages of 64 KiB the memory grows in `n` requests, after as many to warm up.
pub async fn memory(call: &Call) -> Result {
    let redis = call.redis()?;
    let mut before = 0;
    for _ in 0..2 {
        before = core::arch::wasm32::memory_size(0);
        for _ in 0..call.number("n").unwrap_or(1) {
            let _: Option<String> = redis.get("memory").await?;
        }
    }
    Ok((core::arch::wasm32::memory_size(0) - before).to_string())
}

/// A client that all requests share.
pub async fn on_static_client(call: &Call) -> Result {
    static CLIENT: OnceLock<Redis> = OnceLock::new();
    let redis = match CLIENT.get() {
        Some(redis) => redis,
        None => {
            let redis = call.redis()?;
            CLIENT.get_or_init(|| redis)
        }
    };
    let (key, value) = (format!("static:{}", call.text("n")), call.text("n"));
    redis.set(&key, value).await?;
    let found: Option<String> = redis.get(&key).await?;
    Ok(found.unwrap_or_default())
}
