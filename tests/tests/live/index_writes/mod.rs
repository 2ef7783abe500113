//! Writes of records that have indexes, unique fields and versions.

mod entries;
mod expiry;
mod other_programs;
mod refusals;
mod scripts;

use redis_model::commands::expiry::Ttl;
use redis_model::commands::sorted_set::ZRange;
use redis_model::prelude::*;
use redis_model::redis_rest::Value;
use redis_model::{Error, ErrorKind};
use redis_model_tests::{Stack, own_servers};
use tokio::sync::Mutex;

/// Runs a test on all servers: what a script does must not depend on which it is. The database is empty, and the test has
/// it for itself.
async fn on_each_server(test: impl AsyncFn(&Redis) -> Result<()>) -> Result<()> {
    static SERVERS: Mutex<Vec<Stack>> = Mutex::const_new(Vec::new());
    let mut servers = SERVERS.lock().await;
    if servers.is_empty() {
        servers.extend(own_servers().into_iter().map(|(_, stack)| stack));
    }
    for server in servers.iter() {
        let redis = server.redis();
        redis.flushall().await?;
        test(&redis).await?;
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", index(country, age), unique(tenant, nick))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: Option<String>,
    #[redis(index)]
    country: String,
    #[redis(index)]
    age: u8,
    tenant: u32,
    nick: Option<String>,
    bio: Option<String>,
    #[redis(version)]
    version: u32,
}

fn user(id: u64) -> User {
    User {
        id,
        email: Some(format!("{id}@example.org")),
        country: "TR".into(),
        age: 36,
        tenant: 7,
        nick: None,
        bio: None,
        version: 0,
    }
}

/// A model whose indexes are in parts, with an entry for each tag.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "item", partitions = 4)]
struct Item {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: String,
    #[redis(index)]
    tags: Vec<String>,
}

fn item(id: u64, tags: &[&str]) -> Item {
    Item { id, name: format!("item {id}"), tags: tags.iter().map(|&tag| tag.to_owned()).collect() }
}

/// Returns the entries of an index of users, without the member that each index has.
async fn entries(redis: &Redis, index: &str) -> Result<Vec<String>> {
    let mut entries: Vec<String> = redis.zrange(format!("user::index:{index}"), ZRange::rank(0, -1)).await?;
    assert_eq!(entries.remove(0), "");
    Ok(entries)
}

/// All that the indexes hold, as text.
async fn all_indexes(redis: &Redis) -> Result<Vec<String>> {
    let mut keys: Vec<String> = redis.keys("*::*").await?;
    keys.sort();
    let mut all = Vec::new();
    for key in keys {
        let value: Value = if key.ends_with("rows") || key.contains("rows:") {
            let mut rows: Vec<(String, String)> = redis.hgetall(&key).await?;
            rows.sort();
            all.push(format!("{key} {rows:?}"));
            continue;
        } else if key.contains("::once:") {
            continue;
        } else {
            redis.execute(("ZRANGE", &key, 0, -1, "WITHSCORES")).await?
        };
        all.push(format!("{key} {value:?}"));
    }
    Ok(all)
}

/// Checks that a call fails so, and that nothing has changed.
async fn fails<T: std::fmt::Debug>(
    redis: &Redis,
    call: impl AsyncFn() -> Result<T>,
    kind: ErrorKind,
    text: &str,
) -> Result<Error> {
    let before = all_indexes(redis).await?;
    let error = call().await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.to_string(), text);
    assert!(!error.may_have_executed());
    assert_eq!(all_indexes(redis).await?, before);
    Ok(error)
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "session", ttl = "10s", sliding)]
struct Session {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    token: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "visit", ttl = "10s", sliding)]
struct Visit {
    #[redis(id)]
    id: u64,
    code: Option<String>,
}

fn session(id: u64) -> Session {
    Session { id, token: format!("t{id}") }
}

/// Asserts that there is so much time to live, to the second.
fn about(ttl: Ttl, seconds: u64) {
    assert!(matches!(ttl, Ttl::Expires(left) if left.as_millis().div_ceil(1000) == u128::from(seconds)), "{ttl:?}");
}
