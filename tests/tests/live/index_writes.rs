//! Writes of records that have indexes, unique fields and versions.

use std::time::Duration;

use redis_model::prelude::*;
use redis_model::{ErrorKind, redis_rest::Build};
use redis_model_tests::{Stack, redis_7_0, stack, valkey};

/// All servers: what a script does must not depend on which it is.
fn servers() -> Vec<&'static Stack> {
    [Some(stack()), Some(valkey()), redis_7_0()].into_iter().flatten().collect()
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "iw-user", index(country, age))]
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
    tags: Tags,
    bio: Option<String>,
    #[redis(version)]
    version: u64,
}

type Tags = String;

fn user(id: u64) -> User {
    User {
        id,
        email: Some(format!("{id}@example.org")),
        country: "TR".into(),
        age: 36,
        tags: "a".into(),
        bio: None,
        version: 0,
    }
}

/// Returns the entries of an index, without the sentinel.
async fn entries(redis: &Redis, index: &str) -> Result<Vec<String>> {
    let mut entries: Vec<String> = redis.zrange(format!("iw-user::index:{index}"), 0, -1).await?;
    assert_eq!(entries.remove(0), "", "the sentinel");
    Ok(entries)
}

#[tokio::test]
async fn an_insert_makes_a_row_and_entries() -> Result<()> {
    for server in servers() {
        let redis = server.redis();
        redis.flushdb().await?;
        assert_eq!(user(42).insert(&redis).await?, 1);
        assert_eq!(User::load(&redis, 42).await?, Some(User { version: 1, ..user(42) }));
        assert_eq!(entries(&redis, "email").await?, ["42@example.org\042"]);
        assert_eq!(entries(&redis, "country+age").await?, ["TR\060236\042"]);
        let error = user(42).insert(&redis).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.key()), (ErrorKind::AlreadyExists, Some("User"), Some("iw-user:42")));
        let error = User { email: user(42).email, ..user(43) }.insert(&redis).await.unwrap_err();
        assert_eq!((error.kind(), error.field(), error.owner()), (ErrorKind::Duplicate, Some("email"), Some("42")));
        assert_eq!(error.to_string(), "");
    }
    Ok(())
}
