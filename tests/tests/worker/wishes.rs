//! What handlers say about their failures, and what becomes of it.

use std::error::Error as StdError;
use std::sync::Mutex;
use std::time::Duration;

use redis_model::Failure;
use redis_model::prelude::*;
use redis_model::redis_rest::ErrorKind;
use redis_model::redis_rest::commands::stream::XPendingOptions;
use redis_model::stream::{Delivered, Notice};
use tokio::sync::Notify;

use crate::{Job, append, clients, group, until, worker};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn dead_now_is_a_dead_letter_after_one_attempt() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("dead-now");
        append(&redis, &group, [1]).await?;
        let worker = worker(&group, "w1").max_deliveries(5);
        let counters = worker.counters();
        let stop = until(async || counters.read().dead == 1);
        worker.run_until(&redis, stop, async |_| Err::<(), _>(Failure::dead("no such sku"))).await?;
        let letter = group.dead_letters(&redis, StreamId::MIN, 1).await?.remove(0)?;
        assert_eq!((letter.error.as_str(), letter.deliveries), ("no such sku", 1), "{server}");
        assert_eq!(group.pending(&redis).await?.count, 0, "{server}");
    }
    Ok(())
}

/// The wait that a handler asks for replaces the doubling one, and its attempt counts.
#[tokio::test]
async fn retry_after_replaces_the_delay_and_counts_the_attempt() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("retry-after");
        append(&redis, &group, [1]).await?;
        let waits = std::sync::Arc::new(Mutex::new(Vec::new()));
        let noted = std::sync::Arc::clone(&waits);
        // With the other delay, nothing would happen in this test.
        let worker = worker(&group, "w1").retry(HOUR, HOUR).max_deliveries(3).on_notice(move |notice| {
            if let Notice::Failed { attempt, retry_in, .. } = notice {
                noted.lock().unwrap().push((*attempt, *retry_in));
            }
        });
        let counters = worker.counters();
        let stop = until(async || counters.read().dead == 1);
        let short = Duration::from_millis(3);
        worker.run_until(&redis, stop, async |_| Err::<(), _>(Failure::retry_after(short, "rate limited"))).await?;
        assert_eq!(*waits.lock().unwrap(), [(1, short), (2, short)], "{server}");
        let letter = group.dead_letters(&redis, StreamId::MIN, 1).await?.remove(0)?;
        assert_eq!((letter.error.as_str(), letter.deliveries), ("rate limited", 3), "{server}");
        assert_eq!(
            redis.exists(format!("{}::wait:g", group.log().key())).await?,
            0,
            "{server}: it has expired, or all is gone"
        );
    }
    Ok(())
}

/// Neither a shutdown nor a death shortens a wait: whoever takes the entry waits for the rest.
#[tokio::test]
async fn a_wait_outlives_its_worker() -> Result<()> {
    for (server, redis) in clients() {
        for dies in [false, true] {
            let group = group("long-wait");
            let id = append(&redis, &group, [1]).await?[0];
            let owner =
                async || group.pending_range(&redis, id..=id, 1, XPendingOptions::new()).await.unwrap().remove(0);
            let failed = Notify::new();
            let later = async |_| {
                failed.notify_one();
                Err::<(), _>(Failure::retry_after(HOUR, "rate limited"))
            };
            let first = worker(&group, "first");
            let is_noted = async || redis.exists(format!("{}::wait:g", group.log().key())).await.unwrap() == 1;
            if dies {
                tokio::select! {
                    ended = first.run(&redis, later) => ended?,
                    () = until(is_noted) => {}
                }
            } else {
                first.run_until(&redis, failed.notified(), later).await?;
                assert!(is_noted().await, "{server}: it was noted while the worker ended");
            }

            // The next one has it, and handles others.
            let second = worker(&group, "second");
            let seen = Mutex::new(Vec::new());
            let stop = async {
                until(async || owner().await.consumer == "second").await;
                append(&redis, &group, [2]).await.unwrap();
                until(async || seen.lock().unwrap().contains(&2)).await;
            };
            second
                .run_until(&redis, stop, async |delivered| {
                    seen.lock().unwrap().push(delivered.event.number);
                    Ok::<_, String>(())
                })
                .await?;
            assert_eq!(*seen.lock().unwrap(), [2], "{server}, {dies}");
            assert_eq!((owner().await.deliveries, second.counters().read().reclaimed), (1, 1), "{server}, {dies}");
        }

        // A wait that ends is over for the next worker, too.
        let group = group("short-wait");
        append(&redis, &group, [1]).await?;
        let failed = Notify::new();
        worker(&group, "first")
            .run_until(&redis, failed.notified(), async |_| {
                failed.notify_one();
                Err::<(), _>(Failure::retry_after(Duration::from_millis(300), "rate limited"))
            })
            .await?;
        let second = worker(&group, "second");
        let counters = second.counters();
        let stop = until(async || counters.read().handled == 1);
        second
            .run_until(&redis, stop, async |delivered| {
                assert_eq!(delivered.attempt, 2, "{server}");
                Ok::<_, String>(())
            })
            .await?;
    }
    Ok(())
}

/// Entries that wait count for `max_pending`, and are kept.
#[tokio::test]
async fn entries_that_wait_are_kept_and_count_as_pending() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("waiting");
        append(&redis, &group, 0..20).await?;
        let slow = worker(&group, "slow").max_pending(8);
        let other = worker(&group, "other");
        let counters = slow.counters();
        let stop = async {
            until(async || counters.read().failed == 8).await;
            let before = counters.read().requests;
            // Heartbeats, for longer than the others wait for a dead worker.
            until(async || counters.read().requests > before + 12).await;
            assert_eq!(group.pending(&redis).await.unwrap().count, 8, "{server}");
            // The others get what the log has, and nothing that waits.
            let counters = other.counters();
            let handled = until(async || counters.read().handled == 12);
            other.run_until(&redis, handled, async |_| Ok::<_, String>(())).await.unwrap();
            assert_eq!(counters.read().reclaimed, 0, "{server}");
        };
        slow.run_until(&redis, stop, async |_| Err::<(), _>(Failure::retry_after(HOUR, "rate limited"))).await?;
        assert_eq!((counters.read().failed, counters.read().lost), (8, 0), "{server}");
    }
    Ok(())
}

async fn charge(job: &Job) -> Result<()> {
    if job.number > 100 { Err(redis_model::Error::new(ErrorKind::Conflict, "too many")) } else { Ok(()) }
}

/// The error types that programs use: all of them compile, and say why.
#[tokio::test]
async fn handlers_return_errors_of_all_kinds() -> Result<()> {
    let (_, redis) = clients().remove(0);
    let group = group("kinds");
    macro_rules! says {
        ($why:expr, $handler:expr) => {{
            append(&redis, &group, [101]).await?;
            let worker = worker(&group, "w1").max_deliveries(1);
            let counters = worker.counters();
            worker.run_until(&redis, until(async || counters.read().dead == 1), $handler).await?;
            let letter = group.dead_letters(&redis, StreamId::MIN, 1).await?.remove(0)?;
            assert!(letter.error.contains($why), "{}", letter.error);
            group.delete_dead_letters(&redis, [letter.id]).await?;
        }};
    }
    says!("too many", async |delivered| charge(&delivered.event).await);
    says!("too many", async |delivered| {
        charge(&delivered.event).await?;
        Ok::<_, redis_model::Error>(())
    });
    says!("text", async |_| Err::<(), _>("text"));
    says!("text", async |_| Err(String::from("text")));
    says!("too many", async |delivered: Delivered<Job>| -> Result<(), Box<dyn StdError + Send + Sync>> {
        charge(&delivered.event).await?;
        Ok(())
    });
    says!("invalid digit", async |_| -> Result<(), Failure> {
        let _: u64 = "x".parse()?;
        Ok(())
    });
    says!("invalid digit", async |_| "x".parse::<u64>().map(drop).map_err(Failure::dead));
    says!("too many", |delivered: Delivered<Job>| async move { charge(&delivered.event).await });
    Ok(())
}
