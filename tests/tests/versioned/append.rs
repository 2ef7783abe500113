//! One writer: what is appended, refused and repeated.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use redis_model::ErrorKind;
use redis_model::commands::stream::{NewId, Trim, XAddOptions};
use redis_model::prelude::*;
use redis_model::redis_rest::{Build, RetryPolicy};
use redis_model::stream::{Expected, Snapshots};
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::{Stack, key};

use crate::{Account, Event, Plain, paid, servers};

fn cut(stack: &Stack, cuts: &[Cut]) -> Redis {
    let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(2));
    let cuts = cuts.to_vec();
    let builder = stack.builder().retry(policy);
    builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::new(AtomicU32::new(0)))).build().unwrap()
}

#[tokio::test]
async fn versions_are_the_ids() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Event::log(key("ids")).versioned();
        assert_eq!(log.version(&redis).await?, 0);
        let opened = Event::Opened { owner: "ada".into() };
        let first = log.append(&redis, Expected::NoStream, [&opened, &paid(5)]).await?;
        assert_eq!((first.version, first.count, first.first_version(), first.category_id), (2, 2, 1, None));
        // `max_len` is 3, and has no effect.
        for version in 2..6 {
            assert_eq!(log.append(&redis, Expected::Exact(version), &[paid(1)]).await?.version, version + 1);
        }
        assert_eq!(log.append(&redis, Expected::Any, &[Event::Closed]).await?.version, 7);
        let entries = log.range(&redis, .., 100).await?;
        let versions: Vec<_> = entries.iter().map(|entry| (entry.version(), entry.id.sequence)).collect();
        assert_eq!(versions, (1..=7).map(|version| (version, 0)).collect::<Vec<_>>());
        assert_eq!(*entries[0].event.as_ref().unwrap(), opened);
        let rest = log.entries(&redis, 3..=5).collect().await?;
        assert_eq!(rest.len(), 3);
        assert_eq!((rest[0].version(), log.version(&redis).await?), (3, 7));
        // The commit is a field of the first entry alone, and not one that readers see.
        let raw = redis.xrange::<Vec<(String, String)>>(log.key(), .., None).await?;
        let names =
            |at: usize| raw[at].fields.as_ref().unwrap().iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(
            (names(0), names(1)),
            (vec![":commit".into(), "event".into(), "owner".into()], vec!["event".into(), "cents".into()])
        );
    }
    Ok(())
}

#[tokio::test]
async fn another_version_is_a_conflict_that_names_it() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Event::log(key("conflict")).versioned();
        log.append(&redis, Expected::NoStream, &[paid(1), paid(2)]).await?;
        for expected in [Expected::NoStream, Expected::Exact(0), Expected::Exact(1), Expected::Exact(3)] {
            let error = log.append(&redis, expected, &[paid(9)]).await.unwrap_err();
            assert!(error.is_conflict() && !error.may_have_executed(), "{error:?}");
            assert_eq!((error.stored_version(), error.key()), (Some(2), Some(log.key())));
        }
        assert_eq!(log.version(&redis).await?, 2);
        // What was removed still counts: there are no holes and no version comes twice.
        redis.xdel(log.key(), StreamId::new(2, 0)).await?;
        assert_eq!(log.version(&redis).await?, 2);
        assert_eq!(log.append(&redis, Expected::Exact(2), &[paid(3)]).await?.version, 3);
        redis.xtrim(log.key(), Trim::max_len(0)).await?;
        assert_eq!(log.append(&redis, Expected::Exact(3), &[paid(3)]).await?.version, 4);
    }
    Ok(())
}

#[tokio::test]
async fn a_lost_reply_is_the_first_outcome() -> Result<()> {
    for (name, stack) in servers() {
        let other = stack.redis();
        // So that the scripts are known.
        Event::log(key("warm")).versioned().append(&other, Expected::Any, &[paid(1)]).await?;
        for cut_at in [Cut::After, Cut::InReply(3), Cut::Before, Cut::During] {
            let log = Event::log(key("lost")).versioned();
            let expected = [Expected::NoStream, Expected::Exact(2), Expected::Any];
            for (number, expected) in expected.into_iter().enumerate() {
                // The first request finds out which dialect the server speaks.
                let redis = cut(stack, &[Cut::Nowhere, Cut::Nowhere, cut_at, cut_at]);
                Event::log(key("warm")).versioned().append(&redis, Expected::Any, &[paid(1)]).await?;
                let appended = log.append(&redis, expected, &[paid(1), paid(2)]).await?;
                assert_eq!(appended.version, 2 * (number as u64 + 1), "{name} {cut_at:?} {expected:?}");
                assert_eq!((appended.count, log.version(&other).await?), (2, appended.version));
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_commit_id_of_the_caller_is_recognized_although_others_went_on() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Event::log(key("caller")).versioned();
        for expected in [Expected::NoStream, Expected::Exact(2), Expected::Any] {
            let id = format!("request {expected:?}");
            let first = log.append_as(&redis, &id, expected, &[paid(1), paid(2)]).await?;
            let between = log.append(&redis, Expected::Any, &[paid(7)]).await?;
            let again = log.append_as(&redis, &id, expected, &[paid(1), paid(2)]).await?;
            assert_eq!((first.version, first.count), (again.version, again.count));
            assert_eq!(log.version(&redis).await?, between.version);
            if expected == Expected::NoStream {
                // For the next expectation.
                redis.del(log.key()).await?;
                log.append(&redis, Expected::NoStream, &[paid(0), paid(0)]).await?;
            }
        }
        let error = log.append_as(&redis, "another", Expected::Exact(2), &[paid(1)]).await.unwrap_err();
        assert!(error.is_conflict());
        // The entry that would tell is gone.
        redis.xdel(log.key(), StreamId::new(3, 0)).await?;
        let error = log.append_as(&redis, "request Exact(2)", Expected::Exact(2), &[paid(1)]).await.unwrap_err();
        assert_eq!((error.kind(), error.stored_version()), (ErrorKind::Lagged, Some(log.version(&redis).await?)));
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_appended_is_refused() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Event::log(key("refused")).versioned();
        assert!(log.append(&redis, Expected::Any, &[]).await.unwrap_err().is_invalid_input());
        assert!(log.append_as(&redis, "", Expected::Any, &[paid(1)]).await.unwrap_err().is_invalid_input());
        let error = Event::log("a:b").versioned().append(&redis, Expected::Any, &[paid(1)]).await.unwrap_err();
        assert!(error.is_invalid_input());
        // A log with ids of its own.
        let name = key("plain");
        Plain::log(&name).append(&redis, &Plain { cents: 1 }).await?;
        let plain = Event::log(&name);
        for expected in [Expected::Any, Expected::NoStream, Expected::Exact(1)] {
            let error = plain.versioned().append(&redis, expected, &[paid(1)]).await.unwrap_err();
            assert!(
                error.is_decode() && error.message().contains("not versioned") && !error.may_have_executed(),
                "{error}"
            );
        }
        assert!(plain.versioned().version(&redis).await.unwrap_err().is_decode());
        assert_eq!(plain.len(&redis).await?, 1);
        // An id that is no next version.
        log.append(&redis, Expected::Any, &[paid(1)]).await?;
        redis
            .xadd_with(log.key(), [("event", "Closed")], XAddOptions::new().id(NewId::Exact(StreamId::new(9, 0))))
            .await?;
        assert!(log.append(&redis, Expected::Any, &[paid(1)]).await.unwrap_err().is_decode());
        // A key of another type.
        let text = Event::log(key("text")).versioned();
        redis.set(text.key(), "x").await?;
        assert!(text.append(&redis, Expected::Any, &[paid(1)]).await.unwrap_err().is_wrong_type());
    }
    Ok(())
}

#[tokio::test]
async fn every_executor_appends() -> Result<()> {
    let (_, stack) = &servers()[0];
    let redis = stack.redis();
    let log = Event::log(key("executors")).versioned();
    let (first, len, second) = redis
        .pipeline()
        .submit(log.append(Build, Expected::NoStream, &[paid(1)]))
        .submit(log.version(Build))
        .submit(log.append(Build, Expected::Exact(1), &[paid(2)]))
        .exec()
        .await?;
    assert_eq!((first.version, len, second.version), (1, 1, 2));
    let log = log.clone();
    let client = stack.blocking();
    std::thread::spawn(move || -> Result<()> {
        assert_eq!(log.append(&client, Expected::Exact(2), &[paid(3)])?.version, 3);
        assert_eq!(log.entries(&client, 2..).count(), 2);
        let sum =
            log.fold(&client, 0, |sum, event| if let Event::Paid { cents, .. } = event { sum + cents } else { sum })?;
        assert_eq!((sum.state, sum.version), (6, 3));
        let account = log.aggregate::<Account>().snapshots(Snapshots::json().every(4));
        assert_eq!(account.commit(&client, |account| vec![paid(account.cents)])?.cents, 12);
        assert_eq!(client.hget(format!("{}::snapshot", log.key()), "version")?, Some(4));
        assert_eq!(account.load(&client)?.version, 4);
        Ok(())
    })
    .join()
    .unwrap()
}
