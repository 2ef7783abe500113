//! Writes of records that have indexes, unique fields and versions.

use redis_model::ErrorKind;
use redis_model::commands::sorted_set::ZRange;
use redis_model::prelude::*;
use redis_model_tests::{Stack, own_redis_7_0, own_stack, own_valkey};
use tokio::sync::Mutex;

/// Runs a test on all servers: what a script does must not depend on which it is. The database is empty, and the test has
/// it for itself.
async fn on_each_server(test: impl AsyncFn(&Redis) -> Result<()>) -> Result<()> {
    static SERVERS: Mutex<Vec<Stack>> = Mutex::const_new(Vec::new());
    let mut servers = SERVERS.lock().await;
    if servers.is_empty() {
        servers.extend([own_stack(), own_valkey()]);
        servers.extend(own_redis_7_0());
    }
    for server in servers.iter() {
        let redis = server.redis();
        redis.flushall().await?;
        test(&redis).await?;
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", index(country, age))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: Option<String>,
    #[redis(index)]
    country: String,
    #[redis(index)]
    age: u8,
    #[redis(index)]
    tags: Option<String>,
    bio: Option<String>,
    #[redis(version)]
    version: u64,
}

fn user(id: u64) -> User {
    User {
        id,
        email: Some(format!("{id}@example.org")),
        country: "TR".into(),
        age: 36,
        tags: None,
        bio: None,
        version: 0,
    }
}

/// Returns the entries of an index, without the sentinel.
async fn entries(redis: &Redis, index: &str) -> Result<Vec<String>> {
    let mut entries: Vec<String> = redis.zrange(format!("user::index:{index}"), ZRange::rank(0, -1)).await?;
    assert_eq!(entries.remove(0), "", "the sentinel");
    Ok(entries)
}

#[tokio::test]
async fn an_insert_makes_a_row_and_entries() -> Result<()> {
    on_each_server(async |redis| {
        assert_eq!(user(42).insert(redis).await?, 1);
        assert_eq!(User::load(redis, 42).await?, Some(User { version: 1, ..user(42) }));
        assert_eq!(entries(redis, "email").await?, ["42@example.org\u{0}42"]);
        assert_eq!(entries(redis, "country+age").await?, ["TR\u{0}60236\u{0}42"]);
        let row: Option<String> = redis.hget("user::rows", "42").await?;
        assert!(row.unwrap().ends_with("\u{0}=42@example.org\u{0}=TR\u{0}=60236\u{0}"));

        let error = user(42).insert(redis).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.model(), error.key()),
            (ErrorKind::AlreadyExists, Some("User"), Some("user:42"))
        );
        let error = User { email: user(42).email, ..user(43) }.insert(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.field(), error.owner()), (ErrorKind::Duplicate, Some("email"), Some("42")));
        assert_eq!(User::load(redis, 43).await?, None);
        Ok(())
    })
    .await
}
