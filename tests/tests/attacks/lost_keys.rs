//! Keys of indexes that are gone: they must not look like indexes without entries.

use std::time::Duration;

use redis_model::ErrorKind;
use redis_model::hash::SaveOptions;
use redis_model::prelude::*;
use tokio::time::sleep;

use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "part", partitions = 4)]
struct Part {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: String,
    #[redis(index)]
    tags: Vec<String>,
}

#[tokio::test]
async fn a_write_of_another_partition_notices_a_lost_unique_index() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let part = |id| Part { id, name: "ada".into(), tags: vec!["t".into()] };
        part(1).insert(redis).await?;
        let keys: Vec<String> = redis.keys("part::index:name:*").await?;
        assert_eq!(keys.len(), 4);
        redis.del(&keys).await?;
        assert_eq!(part(2).insert(redis).await.unwrap_err().kind(), ErrorKind::Index);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "badge")]
struct Badge {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: String,
    #[redis(index)]
    age: u8,
}

fn badge(id: u64) -> Badge {
    Badge { id, name: format!("n{id}"), age: 1 }
}

/// All keys that the query reads.
#[tokio::test]
async fn a_query_without_any_of_its_keys_is_no_empty_answer() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        badge(1).insert(redis).await?;
        redis.del(["badge::rows", "badge::index:age"]).await?;
        let error = Badge::query().eq(Badge::AGE, 1).fetch(redis).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Index);
    }
    Ok(())
}

/// The one loss that is not noticed, as the guide says: ids of expired records are in answers until the next write. A record
/// is never in one.
#[tokio::test]
async fn without_the_expiry_marks_an_expired_record_is_still_not_loaded() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        badge(1).insert_with(redis, SaveOptions::new().ttl(Duration::from_millis(50))).await?;
        badge(2).insert(redis).await?;
        redis.del(["badge::expiry"]).await?;
        sleep(Duration::from_millis(100)).await;
        let query = Badge::query().eq(Badge::AGE, 1);
        assert_eq!(query.clone().fetch(redis).await?.items, [badge(2)]);
        assert_eq!(query.clone().in_one_request().fetch(redis).await?.items, [badge(2)]);
        // Its unique value is free.
        Badge { id: 3, name: "n1".into(), age: 1 }.insert(redis).await?;
        assert_eq!(query.ids(redis).await?.items, [2, 3]);
    }
    Ok(())
}
