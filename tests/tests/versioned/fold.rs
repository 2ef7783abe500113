//! States from all events, and what is said if events are missing.

use redis_model::Aggregate as _;
use redis_model::prelude::*;
use redis_model::redis_rest::commands::stream::{NewId, Trim, XAddOptions};
use redis_model::stream::{Expected, Snapshots};
use redis_model_tests::key;

use crate::{Account, Event, paid, servers};

/// An event of plain logs.
#[derive(Debug, Clone, RedisModel)]
#[redis(stream, prefix = "tick-events")]
struct Tick {
    number: u32,
}

#[tokio::test]
async fn all_pages_are_applied_in_order() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Event::log(key("pages")).versioned();
        assert_eq!(log.fold(&redis, Account::default(), Account::apply).await?.version, 0);
        for count in [499, 1, 501] {
            log.append(&redis, Expected::Any, &vec![paid(1); count]).await?;
            let account = log.fold(&redis, Account::default(), Account::apply).await?;
            assert_eq!(account.version, account.events);
            assert_eq!(account.cents, i64::try_from(log.version(&redis).await?).unwrap());
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_event_is_an_error() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let new = async |name| {
            let log = Event::log(key(name)).versioned();
            log.append(&redis, Expected::NoStream, &vec![paid(1); 600]).await?;
            Result::Ok(log)
        };
        for gone in [1, 300, 500, 501, 600] {
            let log = new("hole").await?;
            redis.xdel(log.key(), StreamId::new(gone, 0)).await?;
            let error = log.fold(&redis, Account::default(), Account::apply).await.unwrap_err();
            assert!(error.is_lagged() && error.to_string().contains(&format!("version {gone}")), "{error}");
            assert_eq!(error.key(), Some(log.key()));
        }
        let log = new("trim").await?;
        redis.xtrim(log.key(), Trim::max_len(10)).await?;
        assert!(log.fold(&redis, Account::default(), Account::apply).await.unwrap_err().is_lagged());
        redis.xtrim(log.key(), Trim::max_len(0)).await?;
        assert!(log.fold(&redis, Account::default(), Account::apply).await.unwrap_err().is_lagged());
        // An entry that another program has written: one event's error, which names it.
        let log = Event::log(key("odd")).versioned();
        log.append(&redis, Expected::NoStream, &[paid(1)]).await?;
        redis
            .xadd_with(
                log.key(),
                [("event", "Paid"), ("cents", "much")],
                XAddOptions::new().id(NewId::Exact(StreamId::new(2, 0))),
            )
            .await?;
        let error = log.fold(&redis, Account::default(), Account::apply).await.unwrap_err();
        assert!(error.is_decode() && error.to_string().contains("entry 2-0"), "{error}");
        assert_eq!(error.field(), Some("cents"));
        assert!(log.range(&redis, .., 9).await?[0].event.is_ok());
    }
    Ok(())
}

#[tokio::test]
async fn a_plain_log_is_folded_as_well() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Tick::log(key("plain"));
        let count = |count, _| count + 1;
        assert_eq!(log.fold(&redis, 0, count).await?, 0);
        let refused = crate::OrderEvent::log(key("plain")).append(&redis, &crate::OrderEvent::Paid { cents: 1 }).await;
        assert!(refused.unwrap_err().is_invalid_input(), "its events have versions");
        let ids = log.append_many(&redis, &vec![Tick { number: 1 }; 1001]).await?;
        assert_eq!(log.fold(&redis, 0, count).await?, 1001);
        redis.xdel(log.key(), ids[700]).await?;
        let error = log.fold(&redis, 0, count).await.unwrap_err();
        assert!(error.is_lagged() && error.to_string().contains("1001 entries were added, and 1000"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_deleted_meanwhile_is_noticed() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Event::log(key("deleted")).versioned();
        log.append(&redis, Expected::NoStream, &vec![paid(1); 501]).await?;
        // The handler of the first page deletes the log before the second is read.
        let (client, deleted) = (stack.blocking(), log.key().to_owned());
        let fold = log.fold(&redis, 0, move |count, _| {
            if count == 0 {
                let (client, deleted) = (client.clone(), deleted.clone());
                std::thread::spawn(move || client.del(deleted).unwrap()).join().unwrap();
            }
            count + 1
        });
        let error = fold.await.unwrap_err();
        assert!(error.is_lagged() && error.message().contains("deleted"), "{error}");
        // A commit on it begins with its first event.
        let account = log.aggregate::<Account>().commit(&redis, |account| vec![paid(account.cents)]).await?;
        assert_eq!((account.version, account.cents), (1, 0));
    }
    Ok(())
}

#[tokio::test]
async fn pages_that_are_too_large_are_divided() -> Result<()> {
    let (_, stack) = &servers()[0];
    let redis = stack.builder().max_response_bytes(100_000).build()?;
    let log = Event::log(key("large")).versioned();
    for _ in 0..60 {
        log.append(&redis, Expected::Any, &[Event::Opened { owner: "x".repeat(10_000) }]).await?;
    }
    assert_eq!(log.fold(&redis, Account::default(), Account::apply).await?.events, 60);
    let account = log.aggregate::<Account>().snapshots(Snapshots::json().every(10));
    assert_eq!(account.load(&redis).await?.events, 60);
    let caught_up = log.log().projection(&key("large")).batch(60).catch_up(&redis, |unit, _| Ok(unit)).await?;
    assert_eq!(caught_up.events, 60);
    Ok(())
}
