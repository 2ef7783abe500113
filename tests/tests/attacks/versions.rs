//! Versions at the end of their type, and those that a deletion compares.

use std::time::Duration;

use redis_model::prelude::*;
use redis_model::{ErrorKind, Unit};
use tokio::time::timeout;

use crate::{no_drift, servers};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "small")]
struct Small {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    age: u8,
    #[redis(version)]
    version: i32,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "large")]
struct Large {
    #[redis(id)]
    id: u64,
    age: u8,
    #[redis(version)]
    version: u64,
}

#[tokio::test]
async fn a_patch_at_the_last_version_says_so() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        Small { id: 1, age: 1, version: 0 }.insert(redis).await?;
        redis.hset(Small::key(1)?, [("version", i32::MAX.to_string())]).await?;
        Large { id: 1, age: 1, version: 0 }.insert(redis).await?;
        redis.hset(Large::key(1)?, [("version", u64::MAX.to_string())]).await?;
        let small = Small::patch(1).set(Small::AGE, 2).exec(redis).await.unwrap_err();
        let large = Large::patch(1).set(Large::AGE, 2).exec(redis).await.unwrap_err();
        for (error, last) in [(small, i32::MAX.to_string()), (large, u64::MAX.to_string())] {
            assert_eq!((error.kind(), error.field()), (ErrorKind::Conflict, Some("version")));
            assert!(error.message().contains(&last) && error.message().contains("largest of its type"), "{error}");
        }
        assert_eq!(Small::load(redis, 1).await?.map(|record| (record.age, record.version)), Some((1, i32::MAX)));
        assert_eq!(Large::load(redis, 1).await?.map(|record| (record.age, record.version)), Some((1, u64::MAX)));
    }
    Ok(())
}

#[tokio::test]
async fn a_deletion_compares_the_version() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let mut small = Small { id: 1, age: 1, version: 0 };
        small.version = small.insert(redis).await?;
        let loaded = small.version;
        Small::patch(1).set(Small::AGE, 2).exec(redis).await?;

        let stale = Small::delete_version(redis, 1, loaded).await.unwrap_err();
        assert_eq!(
            (stale.kind(), stale.stored_version(), stale.field()),
            (ErrorKind::Conflict, Some(2), Some("version"))
        );
        assert!(Small::delete_version(redis, 1, -1).await.unwrap_err().is_invalid_input());
        let unit = Unit::new().insert(&Large { id: 1, age: 1, version: 0 }).delete_version::<Small>(1, loaded);
        let error = unit.commit(redis).await.unwrap_err();
        assert_eq!((error.is_conflict(), error.operation()), (true, Some(1)));
        let unit = Unit::new().delete_version::<Small>(1, -1).commit(redis).await;
        assert!(unit.unwrap_err().is_invalid_input());
        assert!(Small::exists(redis, 1).await? && !Large::exists(redis, 1).await?);

        assert!(Small::delete_version(redis, 1, 2).await?);
        assert!(!Small::delete_version(redis, 1, 2).await?, "what is gone is not deleted again, and is no conflict");
        no_drift::<Small>(redis).await?;

        let version = small.insert(redis).await;
        assert!(version.is_ok());
        let (deleted,) = redis.pipeline().delete_version::<Small>(1, version?).exec().await?;
        assert!(deleted);
        // Written before the model had a version.
        redis.hset("large:2", [("id", "2"), ("age", "1")]).await?;
        assert!(Large::delete_version(redis, 2, 1).await.unwrap_err().is_conflict());
        assert!(Large::delete_version(redis, 2, 0).await?);
        let blocking = server.blocking();
        assert!(!tokio::task::spawn_blocking(move || Large::delete_version(&blocking, 2, 7)).await.unwrap()?);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "walk")]
struct Walk {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    visits: u64,
    #[redis(version)]
    version: u64,
}

/// Each record moves to where the walk has not been yet.
#[tokio::test]
async fn a_patch_of_all_that_moves_records_ahead_of_itself_ends() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let records: Vec<_> = (1..=250).map(|id| Walk { id, visits: 0, version: 0 }).collect();
        Walk::save_many(redis, &records).await?.all()?;
        let patch = Walk::query().range(Walk::VISITS, 0..).patch(redis, |patch| patch.incr(Walk::VISITS, 1));
        let patched = timeout(Duration::from_secs(20), patch).await.unwrap()?;
        let visits: Vec<_> = Walk::scan(redis).collect().await?.iter().map(|record| record.visits).collect();
        assert_eq!((patched, visits), (250, vec![1; 250]));
        no_drift::<Walk>(redis).await?;
    }
    Ok(())
}
