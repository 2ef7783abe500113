//! The commands on a group.

use std::time::Duration;

use redis_model::prelude::*;
use redis_model::redis_rest::commands::stream::{GroupStart, Trim, XPendingOptions};

use crate::{Job, SERVERS, append, clients, group};

#[tokio::test]
async fn a_group_is_read_claimed_and_acknowledged() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("group");
        assert!(group.read(&redis, "a", 1).await.unwrap_err().is_not_found(), "{server}");
        group.create(&redis).await?;
        group.create(&redis).await?;
        let ids = append(&redis, &group, 0..4).await?;
        let read = group.read(&redis, "a", 3).await?;
        assert_eq!(read.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids[..3], "{server}");
        assert_eq!(read[1].event.as_ref().unwrap(), &Job { number: 1 });
        assert_eq!(group.read_pending(&redis, "a", ids[0], 10).await?.len(), 2);
        let summary = group.pending(&redis).await?;
        assert_eq!((summary.count, summary.consumers), (3, vec![("a".to_owned(), 3)]), "{server}");
        let options = XPendingOptions::new().consumer("a");
        let pending = group.pending_range(&redis, ids[1].., 10, options).await?;
        assert_eq!(pending.iter().map(|one| (one.id, one.deliveries)).collect::<Vec<_>>(), [(ids[1], 2), (ids[2], 2)]);

        // Claims report what was trimmed.
        redis.xtrim(group.log().key(), Trim::min_id(ids[1])).await?;
        let claimed = group.claim(&redis, "b", Duration::ZERO, ids.clone()).await?;
        assert_eq!(claimed.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids[1..3], "{server}");
        assert_eq!(claimed.trimmed, [ids[0]], "{server}");
        redis.xtrim(group.log().key(), Trim::min_id(ids[2])).await?;
        let claimed = group.autoclaim(&redis, "c", Duration::ZERO, StreamId::MIN, 10).await?;
        assert_eq!(claimed.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [ids[2]], "{server}");
        assert_eq!((claimed.trimmed, claimed.next), (vec![ids[1]], StreamId::MIN), "{server}");
        let none = group.claim(&redis, "c", Duration::from_secs(60), [ids[2]]).await?;
        assert!(none.entries.is_empty() && none.trimmed.is_empty(), "{server}: it is not idle for so long");

        // A consumer goes only with nothing pending.
        let error = group.remove_consumer(&redis, "c").await.unwrap_err();
        assert!(error.is_conflict() && error.message().contains("1 entries are pending"), "{error}");
        assert_eq!((group.ack(&redis, [ids[2], ids[0]]).await?, group.pending(&redis).await?.count), (1, 0));
        assert!(group.remove_consumer(&redis, "c").await?);
        assert!(!group.remove_consumer(&redis, "c").await?);
        let names: Vec<_> = group.consumers(&redis).await?.into_iter().map(|consumer| consumer.name).collect();
        assert_eq!(names, ["a", "b"], "{server}");

        group.set_position(&redis, GroupStart::After(ids[2])).await?;
        assert_eq!(group.read(&redis, "a", 10).await?.len(), 1, "{server}");
        assert!(group.destroy(&redis).await?);
        assert!(!group.destroy(&redis).await?);
        assert!(group.status(&redis).await.unwrap_err().is_not_found(), "{server}");
    }
    Ok(())
}

#[tokio::test]
async fn the_lag_is_honest() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("lag");
        append(&redis, &group, 0..10).await?;
        group.create(&redis).await?;
        group.read(&redis, "a", 2).await?;
        let status = group.status(&redis).await?;
        assert_eq!((status.len, status.waiting, status.missed), (10, Some(8), Some(0)), "{server}");
        redis.xtrim(group.log().key(), Trim::max_len(5)).await?;
        let status = group.status(&redis).await?;
        println!("{server}: the server says {:?}", status.info.lag);
        assert_eq!((status.waiting, status.missed, status.info.pending), (Some(5), Some(3), 2), "{server}");
    }
    Ok(())
}

/// Commands of a group are part of pipelines, and work with the blocking client.
#[tokio::test]
async fn groups_are_generic_over_executors() -> Result<()> {
    let (_, stack) = &SERVERS[0];
    let redis = stack.redis();
    let group = group("executors");
    append(&redis, &group, 0..2).await?;
    let pipeline = group.read(group.create(redis.pipeline()), "a", 10);
    let ((), entries, pending) = group.pending(pipeline).exec().await?;
    assert_eq!((entries.len(), pending.count), (2, 2));
    let blocking = stack.blocking();
    let acked = tokio::task::spawn_blocking(move || {
        assert_eq!(group.redrive(&blocking, 10)?, 0);
        group.ack(&blocking, [entries[0].id, entries[1].id])
    });
    assert_eq!(acked.await.unwrap()?, 2);
    Ok(())
}
