//! Event logs.

use redis_model::prelude::*;
use redis_model::{Entry, Log};
use redis_model_tests::{clients, key, stack};

use super::Place;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "order-events", max_len = 1_000_000)]
enum OrderEvent {
    Placed {
        sku: String,
        quantity: u32,
        note: Option<String>,
    },
    #[redis(alias = "Payed")]
    Paid {
        cents: i64,
    },
    Shipped(Place),
    Closed,
}

/// The entries, if the event of each could be read.
fn whole<T>(entries: Vec<Entry<Result<T>>>) -> Result<Vec<Entry<T>>> {
    entries.into_iter().map(Entry::into_result).collect()
}

#[tokio::test]
async fn event_logs() -> Result<()> {
    for redis in &clients() {
        let log = OrderEvent::log(key("log"));
        let placed = OrderEvent::Placed { sku: "tea".into(), quantity: 2, note: None };
        let rest = [
            OrderEvent::Paid { cents: 990 },
            OrderEvent::Shipped(Place { city: "x".into(), zip: None }),
            OrderEvent::Closed,
        ];
        let first = log.append(redis, &placed).await?;
        let ids = log.append_many(redis, &rest).await?;
        assert!(ids.iter().all(|id| *id > first) && ids.is_sorted());
        assert_eq!(log.append_many(redis, [&OrderEvent::Closed]).await?.len(), 1);
        assert_eq!(log.len(redis).await?, 5);
        let entries = whole(log.range(redis, .., 100).await?)?;
        assert_eq!(entries[0], Entry { id: first, event: placed });
        assert_eq!(entries[1..4].iter().map(|entry| entry.event.clone()).collect::<Vec<_>>(), rest);
        assert_eq!(log.range(redis, first..ids[1], 100).await?.len(), 2);
        redis.execute::<StreamId>(["XADD", log.key(), "*", "event", "Payed", "cents", "1", "unknown", "x"]).await?;
        assert_eq!(
            whole(log.range(redis, ids[2].., 100).await?)?[2].event,
            OrderEvent::Paid { cents: 1 },
            "by its old name"
        );
        let lost = redis.execute::<StreamId>(["XADD", log.key(), "*", "event", "Lost"]).await?;
        let entries = log.range(redis, .., 100).await?;
        assert!(entries[..6].iter().all(|entry| entry.event.is_ok()), "an event that cannot be read affects no other");
        assert_eq!((entries.len(), entries[6].id), (7, lost));
        let error = entries[6].clone().into_result().unwrap_err();
        assert_eq!((error.key(), error.command()), (Some(log.key()), Some("XRANGE")));
        assert!(
            error
                .to_string()
                .ends_with("field \"event\": expected one of `Placed`, `Paid`, `Shipped`, `Closed`, found \"Lost\""),
            "{error}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_group_of_events_makes_a_transaction_of_its_pipeline() -> Result<()> {
    let redis = stack().redis();
    let log = OrderEvent::log(key("group"));
    let (ids, length) = redis.pipeline_of(&log).await?;
    assert_eq!((ids, length), (2, 2));
    Ok(())
}

trait PipelineOf {
    async fn pipeline_of(&self, log: &Log<OrderEvent>) -> Result<(usize, u64)>;
}

impl PipelineOf for Redis {
    async fn pipeline_of(&self, log: &Log<OrderEvent>) -> Result<(usize, u64)> {
        let pipeline = log.append_many(self.pipeline(), &[OrderEvent::Closed, OrderEvent::Closed]);
        let (ids, length) = log.len(pipeline).exec().await?;
        Ok((ids.len(), length))
    }
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "temperature")]
struct Reading {
    celsius: f64,
}

#[tokio::test]
async fn a_long_log_is_paged_through() -> Result<()> {
    let redis = stack().redis();
    let log = Reading::log(key("roof"));
    let mut batch = redis.batch();
    for n in 0..1234 {
        let _slot = log.append(&mut batch, &Reading { celsius: f64::from(n) });
    }
    batch.exec().await?;
    let all = whole(log.entries(&redis, ..).collect().await?)?;
    assert_eq!(all.len(), 1234);
    assert!(all.is_sorted_by_key(|entry| entry.id) && all[1233].event.celsius == 1233.0);
    let mut tail = log.entries(&redis, all[1200].id..);
    assert_eq!(tail.next().await.unwrap()?.into_result()?, all[1200]);
    assert_eq!(tail.collect().await?.len(), 33);
    Ok(())
}
