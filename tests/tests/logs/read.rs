//! Reading: ranges either way, pages, single entries, facts, and the whole log.

use std::time::Duration;

use redis_model::commands::expiry::Ttl;
use redis_model::prelude::*;
use redis_model::{Entry, Log};
use redis_model_tests::key;
use redis_model_tests::via::everywhere_over;

use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "read-events")]
struct Event {
    n: u64,
}

const fn id(millis: u64) -> StreamId {
    StreamId::new(millis, 0)
}

/// The numbers of events that can all be read.
fn numbers(entries: Vec<Entry<Result<Event>>>) -> Result<Vec<u64>> {
    entries
        .into_iter()
        .map(|entry| {
            let Entry { id, event } = entry.into_result()?;
            assert_eq!(id.millis, event.n);
            Ok(event.n)
        })
        .collect()
}

#[tokio::test]
async fn ranges_go_either_way() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let log = Event::log(key("log"));
            assert_eq!(numbers(log.last(redis, 5).await?)?, [0_u64; 0]);
            for n in 1..=5 {
                log.append_at(redis, id(n), &Event { n }).await?;
            }
            assert_eq!(numbers(log.range(redis, id(2)..id(5), 2).await?)?, [2, 3]);
            assert_eq!(numbers(log.range_rev(redis, .., 2).await?)?, [5, 4]);
            assert_eq!(numbers(log.range_rev(redis, id(2)..=id(4), 9).await?)?, [4, 3, 2]);
            assert_eq!(numbers(log.last(redis, 3).await?)?, [3, 4, 5]);
            assert_eq!(numbers(log.last(redis, 100).await?)?, [1, 2, 3, 4, 5]);
            assert_eq!(numbers(log.after(redis, id(3), 9).await?)?, [4, 5]);
            assert_eq!(numbers(log.after(redis, StreamId::MIN, 1).await?)?, [1]);
            assert_eq!(numbers(log.after(redis, id(5), 9).await?)?, [0_u64; 0]);
            assert_eq!(log.get(redis, id(3)).await?.map(|entry| entry.event.unwrap()), Some(Event { n: 3 }));
            assert!(log.get(redis, id(7)).await?.is_none());
            assert!(log.range(redis, .., 0).await.unwrap_err().is_invalid_input());

            assert_eq!(log.delete(redis, [id(3), id(3), id(8)]).await?, 1);
            assert!(log.get(redis, id(3)).await?.is_none());
            assert!(log.delete(redis, []).await.unwrap_err().is_invalid_input());
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_log_as_a_whole() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let log = Event::log(key("log"));
            assert!(!log.exists(redis).await? && log.info(redis).await?.is_none());
            assert!(!log.clear(redis).await? && !log.expire(redis, Duration::from_secs(9)).await?);
            assert_eq!((log.len(redis).await?, log.ttl(redis).await?), (0, Ttl::Missing));

            for n in 1..=3 {
                log.append_at(redis, id(n), &Event { n }).await?;
            }
            log.delete(redis, [id(2)]).await?;
            redis.xadd(log.key(), [("other", "x")]).await?;
            let info = log.info(redis).await?.unwrap();
            assert_eq!((info.length, info.entries_added, info.max_deleted_id), (3, Some(4), Some(id(2))));
            assert_eq!(info.first.unwrap().into_result()?, Entry { id: id(1), event: Event { n: 1 } });
            let last = info.last.unwrap();
            assert_eq!(last.id, info.last_generated_id);
            let error = last.event.unwrap_err();
            assert_eq!((error.field(), error.key()), (Some("n"), Some(log.key())));
            assert_eq!(info.groups, 0);

            assert!(log.exists(redis).await?);
            assert_eq!(log.ttl(redis).await?, Ttl::Persistent);
            assert!(log.expire(redis, Duration::from_secs(100)).await?);
            assert!(matches!(log.ttl(redis).await?, Ttl::Expires(left) if left > Duration::from_secs(90)));
            log.append(redis, &Event { n: 9 }).await?;
            assert!(log.persist(redis).await? && !log.persist(redis).await?);
            assert!(log.clear(redis).await? && !log.exists(redis).await?);
        }
    }
    Ok(())
}

/// A log of 1,203 entries, of which the second cannot be read.
async fn long(redis: &Redis) -> Result<Log<Event>> {
    let log = Event::log(key("long"));
    let mut batch = redis.batch();
    for n in 1..=1203 {
        let (millis, event) = (id(n), Event { n });
        if n == 2 {
            let options = redis_model::commands::stream::XAddOptions::new();
            let options = options.id(redis_model::commands::stream::NewId::Exact(millis));
            let _ = batch.xadd_with(log.key(), [("n", "two")], options);
        } else {
            let _ = log.append_at(&mut batch, millis, &event);
        }
    }
    batch.exec().await?;
    Ok(log)
}

#[tokio::test]
async fn pages_go_either_way() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let log = long(&redis).await?;
        let all: Vec<_> = (1..=1203).collect();
        let ids = |entries: Vec<Entry<Result<Event>>>| {
            assert!(entries.iter().all(|entry| entry.event.is_err() == (entry.id == id(2))));
            entries.into_iter().map(|entry| entry.id.millis).collect::<Vec<_>>()
        };
        assert_eq!(ids(log.entries(&redis, ..).collect().await?), all);
        let mut reversed = ids(log.entries_rev(&redis, ..).collect().await?);
        assert_eq!(reversed[..2], [1203, 1202]);
        reversed.reverse();
        assert_eq!(reversed, all);
        // Whole pages: 500 and 1,000 entries.
        assert_eq!(ids(log.entries_rev(&redis, id(4)..=id(1003)).collect().await?).len(), 1000);
        assert_eq!(ids(log.entries_rev(&redis, id(4)..id(504)).collect().await?).len(), 500);
        assert_eq!(ids(log.entries_rev(&redis, id(1204)..).collect().await?), [0_u64; 0]);

        let blocking = stack.blocking();
        let reversed = tokio::task::spawn_blocking(move || {
            let entries = log.entries_rev(&blocking, id(3)..).collect::<Result<Vec<_>>>()?;
            let error = log.entries_rev(&blocking, ..=id(2)).next().unwrap()?.into_result().unwrap_err();
            assert!(error.to_string().starts_with("XREVRANGE for Event at \"read-events:"), "{error}");
            Ok::<_, redis_model::Error>(entries)
        });
        assert_eq!(ids(reversed.await.unwrap()?).len(), 1201);
    }
    Ok(())
}

#[tokio::test]
async fn the_ends_of_all_ids() -> Result<()> {
    let redis = redis_model_tests::stack().redis();
    let log = Event::log(key("ends"));
    let mut batch = redis.batch();
    for n in 1..=499 {
        let _ = log.append_at(&mut batch, StreamId::new(0, n), &Event { n });
    }
    let _ = log.append_at(&mut batch, StreamId::MAX, &Event { n: 0 });
    batch.exec().await?;
    // A full page that ends at the last possible id.
    assert_eq!(log.entries(&redis, ..).collect().await?.len(), 500);
    assert_eq!(log.entries_rev(&redis, ..).collect().await?.len(), 500);
    assert_eq!(log.after(&redis, StreamId::new(0, 499), 9).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_deleted_under_a_reader_ends() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let log = long(&redis).await?;
        let mut entries = log.entries(&redis, ..);
        for n in 1..=10 {
            assert_eq!(entries.next().await.unwrap()?.id, id(n));
        }
        assert!(log.clear(&redis).await?);
        // The page that was fetched, and then the end.
        assert_eq!(entries.collect().await?.len(), 490);
        // The next append starts a new log, whose ids may be smaller than those before.
        log.append_at(&redis, id(1), &Event { n: 1 }).await?;
        assert_eq!(log.len(&redis).await?, 1);
    }
    Ok(())
}
