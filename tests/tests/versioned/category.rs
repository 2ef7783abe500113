//! The category stream: all events of all logs, in one order.

use std::collections::BTreeMap;
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::stream::{Expected, Sourced};
use redis_model_tests::key;

use crate::lossy::lossy;
use crate::{OrderEvent, seed, servers};

/// The tests of this file share a category.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn paid(cents: i64) -> OrderEvent {
    OrderEvent::Paid { cents }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_category_has_each_event_once_and_in_order() -> Result<()> {
    let _turn = TURN.lock().await;
    let seed = seed();
    for (name, stack) in servers() {
        let redis = stack.redis();
        redis.del(OrderEvent::category().key()).await?;
        assert_eq!(OrderEvent::category().key(), "order-events::category");
        let logs: Vec<_> = (0..3).map(|_| key("order")).collect();
        let writers = (0..6).map(|writer| {
            let (redis, logs) = (lossy(stack, seed + writer, 20), logs.clone());
            tokio::spawn(async move {
                for round in 0..10 {
                    let log = OrderEvent::log(&logs[round % 3]).versioned();
                    log.append(&redis, Expected::Any, &[paid(1), OrderEvent::Placed { sku: "a".into(), quantity: 2 }])
                        .await
                        .unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut versions = BTreeMap::new();
        for entry in OrderEvent::category().entries(&redis, ..).collect().await? {
            let Sourced { log, version, event } = entry.event?;
            let last = versions.entry(log.clone()).or_insert(0);
            *last += 1;
            assert_eq!(version, *last, "{name}");
            let there = OrderEvent::log(&log).versioned().range(&redis, version..=version, 1).await?;
            assert_eq!(*there[0].event.as_ref().unwrap(), event);
        }
        assert_eq!(versions.values().sum::<u64>(), 120, "{name}");
        for log in &logs {
            assert_eq!(OrderEvent::log(log).versioned().version(&redis).await?, versions[log]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_append_publishes_the_last_id_on_the_key() -> Result<()> {
    let _turn = TURN.lock().await;
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = OrderEvent::log(key("publish")).versioned();
        let mut messages = redis.subscribe(log.key());
        let mut in_category = redis.subscribe(OrderEvent::category().key());
        // Both are confirmed before anything is published.
        for stream in [&mut messages, &mut in_category] {
            let confirmed = tokio::time::timeout(Duration::from_secs(5), stream.next()).await.unwrap();
            assert!(format!("{confirmed:?}").contains("Subscribed"), "{confirmed:?}");
        }
        let appended = log.append(&redis, Expected::Any, &[paid(1), paid(2)]).await?;
        let message = tokio::time::timeout(Duration::from_secs(5), messages.next()).await.unwrap();
        assert!(format!("{message:?}").contains("2-0"), "{message:?}");
        let message = tokio::time::timeout(Duration::from_secs(5), in_category.next()).await.unwrap();
        assert!(format!("{message:?}").contains(&appended.category_id.unwrap().to_string()), "{message:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_entry_of_another_program_is_one_entrys_error() -> Result<()> {
    let _turn = TURN.lock().await;
    let (_, stack) = &servers()[0];
    let redis = stack.redis();
    let category = OrderEvent::category();
    let id = redis.xadd(category.key(), [("event", "Paid"), ("cents", "1")]).await?;
    let entry = category.range(&redis, id..=id, 1).await?.remove(0);
    let error = entry.event.unwrap_err();
    assert!(error.is_decode() && error.field() == Some(":log"), "{error}");
    redis.xdel(category.key(), id).await?;
    // A category of another type is an error before the first change.
    redis.del(category.key()).await?;
    redis.set(category.key(), "x").await?;
    let log = OrderEvent::log(key("type")).versioned();
    assert!(log.append(&redis, Expected::Any, &[paid(1)]).await.unwrap_err().is_wrong_type());
    assert_eq!(log.version(&redis).await?, 0);
    redis.del(category.key()).await?;
    Ok(())
}
