//! What an adversary has found: groups and servers that somebody else changes while workers run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::redis_rest::commands::stream::{GroupStart, XClaimOptions, XPendingOptions};
use redis_model::redis_rest::{Command, Value};
use redis_model_tests::{Stack, own_redis_7_0, own_stack, own_valkey};

use crate::{Job, append, clients, group, until, worker};

/// Servers that a test may fill up.
fn own_servers() -> Vec<Stack> {
    [Some(own_stack()), Some(own_valkey()), own_redis_7_0()].into_iter().flatten().collect()
}

async fn set_memory(redis: &Redis, limit: &str) {
    redis.config_set([("maxmemory", limit), ("maxmemory-policy", "noeviction")]).await.unwrap();
}

/// The position of the group is set back while handlers run: all is handled again, and nothing twice at the same time.
#[tokio::test]
async fn the_group_is_set_back_under_a_worker() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("set-back");
        append(&redis, &group, 0..40).await?;
        let worker = worker(&group, "w1").concurrency(8).batch(20);
        let counters = worker.counters();
        let (running, seen) = (Mutex::new(BTreeSet::new()), Mutex::new(BTreeMap::<u64, u64>::new()));
        let stop = async {
            for round in 1..=5 {
                until(async || counters.read().handled >= 10 * round).await;
                group.set_position(&redis, GroupStart::Beginning).await.unwrap();
            }
            until(async || seen.lock().unwrap().len() == 40 && group.pending(&redis).await.unwrap().count == 0).await;
        };
        let handler = async |delivered: redis_model::stream::Delivered<Job>| {
            let number = delivered.event.number;
            assert!(running.lock().unwrap().insert(number), "{server}: {number} is being handled");
            assert!(running.lock().unwrap().len() <= 8, "{server}");
            tokio::time::sleep(Duration::from_millis(20)).await;
            running.lock().unwrap().remove(&number);
            *seen.lock().unwrap().entry(number).or_default() += 1;
            Ok::<_, String>(())
        };
        worker.run_until(&redis, stop, handler).await?;
        let counts = counters.read();
        assert_eq!((counts.lost, counts.duplicates, counts.dead), (0, 0, 0), "{server}");
        assert!(seen.lock().unwrap().values().any(|times| *times > 1), "{server}: some are handled again");
    }
    Ok(())
}

/// Redis 7.0 does not notice what a group has missed when it reads on.
#[tokio::test]
async fn each_missed_entry_is_counted_once() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("missed");
        append(&redis, &group, [0]).await?;
        let worker = worker(&group, "w1");
        let counters = worker.counters();
        let stop = async {
            until(async || counters.read().handled == 1).await;
            for round in 1..=4 {
                // In one step, so that no worker reads between.
                let script = "for i = 1, 60 do redis.call('XADD', KEYS[1], '*', 'number', i) end \
                    redis.call('XTRIM', KEYS[1], 'MAXLEN', 20)";
                let command = Command::write("EVAL").arg(script).arg(1).arg(group.log().key());
                let _: Value = redis.execute(command).await.unwrap();
                until(async || counters.read().handled == 1 + 20 * round).await;
                assert_eq!(counters.read().missed, 40 * round, "{server}");
            }
            assert_eq!(group.status(&redis).await.unwrap().missed, Some(0), "{server}");
        };
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!(counters.read().missed, 160, "{server}");
    }
    Ok(())
}

/// The server does not say how many entries came before the position of such a group.
#[tokio::test]
async fn a_group_that_was_created_at_the_end_notices_a_loss() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("at-the-end");
        append(&redis, &group, 0..10).await?;
        group.create_at(&redis, GroupStart::End).await?;
        let worker = worker(&group, "w1");
        let counters = worker.counters();
        let stop = async {
            // Its first look is over.
            until(async || counters.read().requests >= 3).await;
            let script = "for i = 1, 60 do redis.call('XADD', KEYS[1], '*', 'number', i) end \
                redis.call('XTRIM', KEYS[1], 'MAXLEN', 20)";
            let command = Command::write("EVAL").arg(script).arg(1).arg(group.log().key());
            let _: Value = redis.execute(command).await.unwrap();
            until(async || counters.read().handled == 20).await;
        };
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!(counters.read().missed, 40, "{server}");
    }
    Ok(())
}

/// Where an entry after the last delivery was deleted, the server does not say how many the group has read.
#[tokio::test]
async fn a_deleted_entry_hides_no_loss() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("deleted");
        group.create(&redis).await?;
        let ids = append(&redis, &group, 0..40).await?;
        group.log().delete(&redis, [ids[35]]).await?;
        let worker = worker(&group, "w1").concurrency(1);
        let counters = worker.counters();
        let trim = redis_model::redis_rest::commands::stream::Trim::max_len(10);
        let stop = until(async || counters.read().handled == 20);
        let handler = async |delivered: redis_model::stream::Delivered<Job>| {
            // Ten are handled, and 19 more are lost.
            if delivered.event.number == 9 {
                redis.xtrim(group.log().key(), trim).await.unwrap();
            }
            Ok::<_, String>(())
        };
        worker.run_until(&redis, stop, handler).await?;
        // The deleted one is among them.
        assert_eq!(counters.read().missed, 20, "{server}");
        let status = group.status(&redis).await?;
        assert_eq!((status.missed, status.waiting), (Some(0), Some(0)), "{server}: {status:?}");
    }
    Ok(())
}

/// Entries that are deleted one by one are no loss, and a group that has read the others waits for none.
#[tokio::test]
async fn a_group_that_has_come_to_the_end_has_read_all() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("deleted-behind");
        group.create(&redis).await?;
        let worker = worker(&group, "w1").concurrency(3);
        let counters = worker.counters();
        let mut handled = 0;
        for (count, deleted) in [(1, &[][..]), (40, &[5, 15, 39]), (10, &[])] {
            let ids = append(&redis, &group, 0..count).await?;
            if !deleted.is_empty() {
                group.log().delete(&redis, deleted.iter().map(|at| ids[*at])).await?;
            }
            handled += (ids.len() - deleted.len()) as u64;
            let stop = until(async || counters.read().handled == handled);
            worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        }
        let status = group.status(&redis).await?;
        assert_eq!((status.missed, status.waiting), (Some(0), Some(0)), "{server}: {status:?}");
        assert_eq!((counters.read().missed, status.info.entries_read), (0, Some(51)), "{server}");
    }
    Ok(())
}

/// What was trimmed before the group has ever read is missed, too.
#[tokio::test]
async fn what_was_trimmed_before_the_first_read_is_missed() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("first-read");
        group.create(&redis).await?;
        append(&redis, &group, 0..60).await?;
        redis.xtrim(group.log().key(), redis_model::redis_rest::commands::stream::Trim::max_len(20)).await?;
        let worker = worker(&group, "w1");
        let counters = worker.counters();
        let stop = until(async || counters.read().handled == 20);
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!(counters.read().missed, 40, "{server}");
    }
    Ok(())
}

/// A count that somebody has set is no reason to stop: the entry is a dead letter.
#[tokio::test]
async fn a_forged_delivery_count_is_one_dead_letter() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("forged");
        let id = append(&redis, &group, [1]).await?[0];
        group.create(&redis).await?;
        group.read(&redis, "stranger", 1).await?;
        let options = XClaimOptions::new().retry_count(u64::MAX / 2).idle(Duration::from_secs(3600));
        redis.xclaim_justid(group.log().key(), "g", "stranger", Duration::ZERO, [id], options).await?;
        append(&redis, &group, [2]).await?;
        let worker = worker(&group, "w1");
        let counters = worker.counters();
        let stop = until(async || counters.read().handled == 1 && counters.read().dead == 1);
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!(group.dead_letters(&redis, StreamId::MIN, 1).await?.remove(0)?.source_id, id, "{server}");
    }
    Ok(())
}

#[tokio::test]
async fn limits_of_groups_are_what_they_look_like() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("limits");
        group.create(&redis).await?;
        let last = *append(&redis, &group, 0..10).await?.last().unwrap();
        assert_eq!(group.read(&redis, "a", u64::MAX).await?.len(), 10, "{server}");
        assert_eq!(group.read_pending(&redis, "a", StreamId::MIN, u64::MAX).await?.len(), 10, "{server}");
        assert_eq!(group.pending_range(&redis, .., u64::MAX, XPendingOptions::new()).await?.len(), 10, "{server}");
        let claimed = group.autoclaim(&redis, "b", Duration::MAX, StreamId::MIN, u64::MAX).await?;
        assert!(claimed.entries.is_empty(), "{server}: nothing is idle for so long");
        assert!(group.claim(&redis, "b", Duration::MAX, [last]).await?.entries.is_empty(), "{server}");
        assert!(group.dead_letters(&redis, StreamId::MAX, u64::MAX).await?.is_empty(), "{server}");
        assert_eq!(group.redrive(&redis, u64::MAX).await?, 0, "{server}");
        let error = Job::log("x").group("g".repeat(33_000)).create(&redis).await.unwrap_err();
        assert!(error.is_invalid_input() && error.message().contains("32 KB"), "{server}: {error}");

        // No setting makes a worker panic.
        let worker = worker(&group, "w1").batch(u64::MAX).max_pending(u64::MAX).max_deliveries(u64::MAX);
        let worker = worker.timeout(Duration::MAX).retry(Duration::MAX, Duration::MAX).grace(Duration::MAX);
        let counters = worker.counters();
        let stop = until(async || counters.read().handled == 10);
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
    }
    Ok(())
}

/// A worker that starts while the server is full waits for it, also with its first request.
#[tokio::test]
async fn a_worker_starts_on_a_full_server() -> Result<()> {
    for stack in own_servers() {
        let redis = crate::direct(&stack);
        let group = group("full");
        append(&redis, &group, 0..10).await?;
        set_memory(&redis, "1").await;
        let worker = worker(&group, "w1");
        let counters = worker.counters();
        let stop = async {
            until(async || counters.read().errors > 0).await;
            assert_eq!(counters.read().handled, 0);
            set_memory(&redis, "0").await;
            until(async || counters.read().handled == 10).await;
        };
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
    }
    Ok(())
}

/// A dead letter that a full server refuses waits. Other entries are started and acknowledged meanwhile, one by one.
#[tokio::test]
async fn a_refused_dead_letter_holds_up_no_other_entry() -> Result<()> {
    for stack in own_servers() {
        let redis = crate::direct(&stack);
        let group = group("refused");
        append(&redis, &group, 0..6).await?;
        let worker = worker(&group, "w1").max_deliveries(1).concurrency(1).batch(1);
        let counters = worker.counters();
        let stop = async {
            until(async || counters.read().handled == 5).await;
            set_memory(&redis, "0").await;
            until(async || counters.read().dead == 1).await;
        };
        let handler = async |delivered: redis_model::stream::Delivered<Job>| {
            if delivered.event.number == 0 {
                set_memory(&redis, "1").await;
                return Err("poison");
            }
            Ok(())
        };
        worker.run_until(&redis, stop, handler).await?;
        let counts = counters.read();
        assert_eq!((counts.handled, counts.dead, counts.duplicates, counts.lost), (5, 1, 0, 0));
    }
    Ok(())
}
