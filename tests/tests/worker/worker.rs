//! What a worker does when all goes well, and when handlers fail.

use std::sync::Mutex;
use std::time::Duration;

use redis_model::Group;
use redis_model::prelude::*;
use redis_model::redis_rest::commands::stream::GroupStart;
use redis_model::stream::{Counts, DeadLetter};
use redis_model_tests::key;

use crate::{Job, SERVERS, append, clients, group, until, worker};

/// Handles everything until nothing is left.
async fn drained(redis: &Redis, group: &Group<Job>) -> bool {
    let status = group.status(redis).await.unwrap();
    status.waiting == Some(0) && status.info.pending == 0 && redis.exists(group.retries_key()).await.unwrap() == 0
}

#[tokio::test]
async fn each_entry_is_handled_and_acknowledged() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("each");
        append(&redis, &group, 0..500).await?;
        let seen = Mutex::new(Vec::new());
        let worker = worker(&group, "w1").concurrency(10).batch(50);
        let stop = until(async || drained(&redis, &group).await);
        worker
            .run_until(&redis, stop, async |delivered| -> Result<()> {
                assert_eq!((delivered.attempt, delivered.redrives), (1, 0));
                seen.lock().unwrap().push(delivered.event.number);
                Ok(())
            })
            .await?;
        let mut seen = seen.into_inner().unwrap();
        assert!(seen.iter().take(10).all(|number| *number < 10), "{server}: in the order of the log");
        seen.sort_unstable();
        assert_eq!(seen, (0..500).collect::<Vec<_>>(), "{server}");
        let Counts { handled, failed, lost, duplicates, requests, .. } = worker.counters().read();
        assert_eq!((handled, failed, lost, duplicates), (500, 0, 0, 0), "{server}");
        assert!(requests < 200, "{server}: {requests} requests for 500 entries, 10 at a time");
    }
    Ok(())
}

/// The count is that of starts, and the dead letter has the history.
#[tokio::test]
async fn a_failure_is_retried_and_then_a_dead_letter_and_redriven() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("dead");
        let ids = append(&redis, &group, 0..3).await?;
        let attempts = Mutex::new(Vec::new());
        let worker = worker(&group, "w1").max_deliveries(3);
        let stop = until(async || drained(&redis, &group).await);
        worker
            .run_until(&redis, stop, async |delivered| match delivered.event.number {
                1 => {
                    attempts.lock().unwrap().push(delivered.attempt);
                    Err(format!("no luck the {}. time", delivered.attempt))
                }
                _ => Ok(()),
            })
            .await?;
        assert_eq!(*attempts.lock().unwrap(), [1, 2, 3], "{server}");
        let counts = worker.counters().read();
        assert_eq!((counts.handled, counts.failed, counts.retried, counts.dead), (2, 3, 2, 1), "{server}");

        let letters = group.dead_letters(&redis, StreamId::MIN, 10).await?;
        let [Ok(letter)] = letters.as_slice() else { panic!("{server}: {letters:?}") };
        let DeadLetter { source_id, deliveries, redrives, error, consumer, event, .. } = letter;
        assert_eq!((*source_id, *deliveries, *redrives), (ids[1], 3, 0), "{server}");
        assert_eq!((error.as_str(), consumer.as_str()), ("no luck the 3. time", "w1"), "{server}");
        assert_eq!((letter.log.as_str(), letter.group.as_str()), (group.log().key(), "g"));
        assert_eq!(event.as_ref().unwrap(), &Job { number: 1 });
        assert!(letter.time.elapsed().unwrap() < Duration::from_secs(60));

        // Back to this group, and to no other.
        let other = group.log().group("other");
        other.create_at(&redis, GroupStart::End).await?;
        assert_eq!(group.redrive(&redis, 10).await?, 1);
        assert_eq!((group.redrive(&redis, 10).await?, group.count_dead_letters(&redis).await?), (0, 0));
        assert_eq!(group.log().len(&redis).await?, 3, "{server}: the log is as it was");
        let seen = Mutex::new(Vec::new());
        let stop = until(async || drained(&redis, &group).await);
        crate::worker(&group, "w2")
            .run_until(&redis, stop, async |delivered| -> Result<()> {
                seen.lock().unwrap().push((
                    delivered.id,
                    delivered.event.number,
                    delivered.attempt,
                    delivered.redrives,
                ));
                Ok(())
            })
            .await?;
        assert_eq!(*seen.lock().unwrap(), [(ids[1], 1, 1, 1)], "{server}: under the id in the log");
        assert!(other.read(&redis, "c", 10).await?.is_empty(), "{server}");

        // A redriven entry that fails again is a dead letter of the same entry.
        let second = append(&redis, &group, [7]).await?;
        let fail = async |_| Err::<(), _>("still no luck");
        let stop = until(async || group.count_dead_letters(&redis).await.unwrap() == 1);
        crate::worker(&group, "w3").max_deliveries(1).run_until(&redis, stop, fail).await?;
        assert_eq!(group.redrive(&redis, 1).await?, 1);
        let stop = until(async || group.count_dead_letters(&redis).await.unwrap() == 1);
        crate::worker(&group, "w3").max_deliveries(1).run_until(&redis, stop, fail).await?;
        let letter = group.dead_letters(&redis, StreamId::MIN, 10).await?.remove(0)?;
        assert_eq!((letter.source_id, letter.redrives), (second[0], 1), "{server}");
        assert_eq!(letter.fields, [(b"number".to_vec(), b"7".to_vec())], "{server}");
        assert_eq!(group.delete_dead_letters(&redis, [letter.id]).await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn poison_is_the_error_of_one_entry() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let redis = crate::direct(stack);
        let group = group("poison");
        append(&redis, &group, [1]).await?;
        let odd: &[(&str, &[u8])] = &[("something", b"else\xff\x00")];
        // Bytes that are not UTF-8 travel in the raw form only as the last argument.
        stack.redis().xadd(group.log().key(), odd.iter().copied()).await?;
        append(&redis, &group, [2]).await?;
        let worker = worker(&group, "w1");
        let stop = until(async || drained(&redis, &group).await);
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        let counts = worker.counters().read();
        assert_eq!((counts.handled, counts.dead, counts.retried), (2, 1, 0), "{server}: dead at once");
        let letter = group.dead_letters(&redis, StreamId::MIN, 10).await?.remove(0)?;
        assert!(letter.error.contains("number") && letter.error.contains("entry"), "{}", letter.error);
        assert!(letter.event.as_ref().unwrap_err().is_decode());
        assert_eq!(letter.fields, [(b"something".to_vec(), b"else\xff\x00".to_vec())], "{server}: as they were");

        let worker = crate::worker(&group, "w1").retry_undecodable().max_deliveries(2);
        assert_eq!(group.redrive(&redis, 10).await?, 1);
        let stop = until(async || group.count_dead_letters(&redis).await.unwrap() == 1);
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!(worker.counters().read().failed, 2, "{server}");
    }
    Ok(())
}

#[tokio::test]
async fn a_handler_that_takes_too_long_has_failed() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("slow");
        append(&redis, &group, [1]).await?;
        let worker = worker(&group, "w1").timeout(Duration::from_millis(30)).max_deliveries(2);
        let stop = until(async || group.count_dead_letters(&redis).await.unwrap() == 1);
        worker
            .run_until(&redis, stop, async |_| {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok::<_, String>(())
            })
            .await?;
        let letter = group.dead_letters(&redis, StreamId::MIN, 10).await?.remove(0)?;
        assert!(letter.error.contains("longer than 30ms"), "{server}: {}", letter.error);
        assert_eq!(letter.deliveries, 2, "{server}");
    }
    Ok(())
}

/// The service allows 1,000 pending entries a consumer. Those of an earlier run under the same name count, too.
#[tokio::test]
async fn no_more_is_pending_than_allowed() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("limit");
        append(&redis, &group, 0..100).await?;
        group.create(&redis).await?;
        assert_eq!(group.read(&redis, "w1", 12).await?.len(), 12);
        let worker =
            worker(&group, "w1").max_pending(20).concurrency(4).retry(Duration::from_secs(9), Duration::from_secs(9));
        let stop = async {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let pending = group.pending(&redis).await.unwrap().count;
                assert!(pending <= 20, "{server}: {pending}");
            }
        };
        worker.run_until(&redis, stop, async |_| Err::<(), _>("all wait for another attempt")).await?;
        assert!(worker.counters().read().failed >= 8, "{server}");
    }
    Ok(())
}

/// An earlier process of the same name, which was allowed more, must not keep this one from working for ever.
#[tokio::test]
async fn what_an_earlier_process_of_the_name_held_is_taken_over() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("earlier");
        append(&redis, &group, 0..30).await?;
        group.create(&redis).await?;
        assert_eq!(group.read(&redis, "w1", 25).await?.len(), 25);
        let worker = worker(&group, "w1").max_pending(10).concurrency(2);
        let stop = until(async || drained(&redis, &group).await);
        // Longer than a heartbeat.
        let slow = async |_| {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok::<_, String>(())
        };
        worker.run_until(&redis, stop, slow).await?;
        let counts = worker.counters().read();
        assert_eq!((counts.handled, counts.lost, counts.duplicates, counts.reclaimed), (30, 0, 0, 0), "{server}");
    }
    Ok(())
}

/// The future of a worker is `Send` if its handler is.
#[tokio::test]
async fn a_worker_can_be_spawned() -> Result<()> {
    let (_, redis) = clients().remove(0);
    let group = group("spawned");
    append(&redis, &group, [1]).await?;
    let worker = worker(&group, "w1");
    let counters = worker.counters();
    let client = redis.clone();
    let task = tokio::spawn(async move { worker.run(&client, async |_| Ok::<_, String>(())).await });
    until(async || counters.read().handled == 1).await;
    task.abort();

    // A handler need not be.
    let local = std::rc::Rc::new(std::cell::Cell::new(0));
    append(&redis, &group, [2]).await?;
    let stop = until(async || local.get() == 1);
    crate::worker(&group, "w2")
        .run_until(&redis, stop, async |_| {
            local.set(local.get() + 1);
            Ok::<_, String>(())
        })
        .await
}

#[tokio::test]
async fn options_that_are_not_possible_are_refused_before_anything_is_sent() {
    let (_, redis) = clients().remove(0);
    let group = group("refused");
    let base = || Worker::new(group.clone(), "w1");
    let ms = Duration::from_millis;
    for (worker, why) in [
        (base().concurrency(0), "concurrency"),
        (base().batch(0), "batch"),
        (base().max_deliveries(0), "max_deliveries"),
        (base().max_pending(2).concurrency(3), "max_pending"),
        (base().poll(ms(0), ms(10)), "poll"),
        (base().poll(ms(20), ms(10)), "poll"),
        (base().reclaim_idle(Duration::from_secs(100_000)), "day"),
        (base().heartbeat(Duration::from_secs(59)), "heartbeat"),
        (Worker::new(group.clone(), ""), "name"),
        (Worker::new(Job::log(key("x")).group("a:b"), "w"), "group"),
        (base().dead_letter(group.log().key()), "dead-letter"),
    ] {
        let error = worker.run(&redis, async |_| Ok::<_, String>(())).await.unwrap_err();
        assert!(error.is_invalid_input() && error.message().contains(why), "{error}");
        assert_eq!(worker.counters().read().handled, 0);
    }
}
