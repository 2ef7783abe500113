//! What a worker does when others take its entries, when replies are lost, and when keys are gone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis_model::Group;
use redis_model::prelude::*;
use redis_model::redis_rest::commands::stream::{Trim, XClaimOptions, XPendingOptions};
use redis_model::redis_rest::{Command, Encoding, ErrorKind, Value};
use redis_model::stream::{Delivered, Notice};
use redis_model_tests::chaos::Chaos;
use redis_model_tests::direct::Direct;
use redis_model_tests::fault::Mutated;
use redis_model_tests::{own_stack, own_valkey};
use tokio::sync::Notify;

use crate::{Job, SERVERS, append, clients, group, until, worker};

async fn owner(redis: &Redis, group: &Group<Job>, id: StreamId) -> Option<(String, u64)> {
    let pending = group.pending_range(redis, id..=id, 1, XPendingOptions::new()).await.unwrap();
    pending.into_iter().next().map(|one| (one.consumer, one.deliveries))
}

/// The fence: whoever was paused, and has lost its entry, acknowledges nothing and buries nothing.
#[tokio::test]
async fn a_paused_worker_that_has_lost_its_entry_changes_nothing() -> Result<()> {
    for (server, redis) in clients() {
        // Another consumer has it, or the same name at a later attempt.
        for (thief, attempts) in [("thief", 1), ("w1", 2)] {
            for fails in [false, true] {
                let group = group("fence");
                let id = append(&redis, &group, [1]).await?[0];
                let (begun, resume) = (Notify::new(), Notify::new());
                // No heartbeat in this time.
                let worker = worker(&group, "w1").reclaim_idle(Duration::from_secs(60)).max_deliveries(1);
                let stop = async {
                    begun.notified().await;
                    let options = XClaimOptions::new().retry_count(attempts);
                    let claimed = redis
                        .xclaim_justid(group.log().key(), "g", thief, Duration::ZERO, [id], options)
                        .await
                        .unwrap();
                    assert_eq!(claimed, [id]);
                    resume.notify_one();
                    let counts = worker.counters();
                    until(async || counts.read().duplicates + counts.read().lost == 1).await;
                };
                let handler = async |_| {
                    begun.notify_one();
                    resume.notified().await;
                    if fails { Err("too late") } else { Ok(()) }
                };
                worker.run_until(&redis, stop, handler).await?;
                let counts = worker.counters().read();
                assert_eq!((counts.handled, counts.dead), (0, 0), "{server}, {thief}");
                assert_eq!(owner(&redis, &group, id).await, Some((thief.to_owned(), attempts)), "{server}");
                assert_eq!(group.count_dead_letters(&redis).await?, 0, "{server}");
            }
        }
    }
    Ok(())
}

/// A heartbeat keeps what is handled for longer than `reclaim_idle`.
#[tokio::test]
async fn a_live_worker_keeps_its_entries() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("alive");
        append(&redis, &group, 0..3).await?;
        let slow = worker(&group, "slow").concurrency(3);
        let other = worker(&group, "other");
        let counters = slow.counters();
        let stop = || until(async || counters.read().handled == 3);
        let begun = Notify::new();
        let slow_run = slow.run_until(&redis, stop(), async |_| {
            begun.notify_one();
            tokio::time::sleep(Duration::from_millis(1000)).await;
            Ok::<_, String>(())
        });
        let other_run = async {
            begun.notified().await;
            other.run_until(&redis, stop(), async |_| Ok::<_, String>(())).await
        };
        let (slow_ended, other_ended) = tokio::join!(slow_run, other_run);
        slow_ended?;
        other_ended?;
        assert_eq!(other.counters().read().reclaimed, 0, "{server}");
        assert_eq!(slow.counters().read().duplicates, 0, "{server}");
    }
    Ok(())
}

/// Only what was begun counts as an attempt, however often workers die, and only that is theirs.
#[tokio::test]
async fn what_a_dead_worker_held_is_reclaimed_and_its_attempts_are_honest() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("reclaim");
        let ids = append(&redis, &group, 0..20).await?;
        for life in 1..=3 {
            let begun = Arc::new(AtomicU64::new(0));
            let worker = worker(&group, &format!("dies-{life}")).concurrency(1).max_deliveries(3);
            let handler = async |_| {
                begun.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>().await;
                Ok::<_, String>(())
            };
            // Dropped: as if it had been killed.
            tokio::select! {
                ended = worker.run(&redis, handler) => ended?,
                () = until(async || begun.load(Ordering::SeqCst) == 1) => {}
            }
            tokio::time::sleep(Duration::from_millis(450)).await;
        }
        assert_eq!(owner(&redis, &group, ids[0]).await.unwrap().1, 3, "{server}: it has begun three times");
        assert_eq!(owner(&redis, &group, ids[1]).await, None, "{server}: it was never begun");
        let seen = Mutex::new(Vec::new());
        let survivor = worker(&group, "lives").max_deliveries(3);
        let counters = survivor.counters();
        let stop = until(async || counters.read().handled == 19 && counters.read().dead == 1);
        survivor
            .run_until(&redis, stop, async |delivered| {
                seen.lock().unwrap().push((delivered.event.number, delivered.attempt));
                Ok::<_, String>(())
            })
            .await?;
        let seen = seen.into_inner().unwrap();
        assert!(seen.iter().all(|(number, attempt)| *number > 0 && *attempt == 1), "{server}: {seen:?}");
        assert_eq!(counters.read().reclaimed, 1, "{server}");
        let letter = group.dead_letters(&redis, StreamId::MIN, 1).await?.remove(0)?;
        assert!(letter.error.contains("begun 3 times"), "{}", letter.error);
    }
    Ok(())
}

/// With one attempt for each, a start that was counted and never made would be a dead letter.
#[tokio::test]
async fn no_entry_is_dead_because_replies_were_lost() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let group = group("lost");
        let redis = crate::direct(stack);
        append(&redis, &group, 0..300).await?;
        let builder = stack.builder().encoding(Encoding::Resp2).transport(Direct::new(stack.server.url()));
        let chaotic = builder.wrap_transport(|inner| Chaos::new(inner, 11, 150, Duration::from_millis(1))).build()?;
        let seen = Mutex::new(Vec::new());
        let worker = worker(&group, "w1").max_deliveries(1).concurrency(5).batch(10);
        let counters = worker.counters();
        let stop = until(async || counters.read().handled == 300);
        worker
            .run_until(&chaotic, stop, async |delivered| {
                seen.lock().unwrap().push(delivered.event.number);
                Ok::<_, String>(())
            })
            .await?;
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..300).collect::<Vec<_>>(), "{server}: once each, because the worker lives");
        let counts = counters.read();
        assert_eq!((counts.dead, counts.lost, counts.duplicates), (0, 0, 0), "{server}");
        assert!(counts.errors > 10, "{server}: {counts:?}");
        assert_eq!(group.pending(&redis).await?.count, 0, "{server}");
    }
    Ok(())
}

#[tokio::test]
async fn a_group_that_vanished_is_a_typed_error() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("nogroup");
        append(&redis, &group, [1]).await?;
        let worker = worker(&group, "w1");
        let counters = worker.counters();
        let destroy = async {
            until(async || counters.read().handled == 1).await;
            assert!(group.destroy(&redis).await.unwrap());
            std::future::pending::<()>().await;
        };
        let error = worker.run_until(&redis, destroy, async |_| Ok::<_, String>(())).await.unwrap_err();
        assert!(error.is_not_found() && error.message().contains("NOGROUP"), "{server}: {error}");
        assert_eq!(error.key(), Some(group.log().key()));
        let error = worker.existing_group().run(&redis, async |_| Ok::<_, String>(())).await.unwrap_err();
        assert!(error.is_not_found(), "{server}: {error}");
        let error = group.pending(&redis).await.unwrap_err();
        assert!(error.is_not_found() && error.message().contains("NOGROUP"), "{server}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_deleted_begins_anew() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("deleted");
        append(&redis, &group, [1]).await?;
        let recreated = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&recreated);
        let worker = worker(&group, "w1").on_notice(move |notice| {
            if matches!(notice, Notice::Recreated) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let counters = worker.counters();
        let stop = async {
            until(async || counters.read().handled == 1).await;
            redis.del(group.log().key()).await.unwrap();
            until(async || recreated.load(Ordering::SeqCst) == 1).await;
            append(&redis, &group, [2, 3]).await.unwrap();
            until(async || counters.read().handled == 3).await;
        };
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!(counters.read().handled, 3, "{server}");
    }
    Ok(())
}

/// The same, if it has entries again before the worker looks.
#[tokio::test]
async fn a_log_that_was_begun_again_is_read_from_its_start() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("begun-again");
        append(&redis, &group, 0..3).await?;
        let worker = worker(&group, "w1");
        let counters = worker.counters();
        let stop = async {
            until(async || counters.read().handled == 3).await;
            // In one step, so that the worker cannot look between.
            let script = "redis.call('DEL', KEYS[1]) for i = 1, 2 do redis.call('XADD', KEYS[1], '*', 'number', i) end";
            let command = Command::write("EVAL").arg(script).arg(1).arg(group.log().key());
            let _: Value = redis.execute(command).await.unwrap();
            until(async || counters.read().handled == 5).await;
        };
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!((counters.read().missed, counters.read().trimmed), (0, 0), "{server}");
    }
    Ok(())
}

/// Entries that were removed before they were handled are reported, wherever they were.
#[tokio::test]
async fn trimmed_entries_are_reported() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("trimmed");
        group.create(&redis).await?;
        let ids = append(&redis, &group, 0..10).await?;
        // Pending with a dead consumer, waiting for another attempt, in handlers; and never delivered.
        assert_eq!(group.read(&redis, "gone", 3).await?.len(), 3);
        let notices = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&notices);
        let hour = Duration::from_secs(3600);
        let worker = worker(&group, "w1").max_pending(4).concurrency(4).retry(hour, hour);
        let worker = worker.on_notice(move |notice| match notice {
            Notice::Trimmed { id, consumer, attempts } => {
                noted.lock().unwrap().push((*id, (*consumer).to_owned(), *attempts));
            }
            Notice::Missed { count } => noted.lock().unwrap().push((StreamId::MIN, "missed".into(), *count)),
            _ => {}
        });
        let counters = worker.counters();
        let resume = Notify::new();
        let stop = async {
            until(async || counters.read().failed == 2).await;
            redis.xtrim(group.log().key(), Trim::max_len(0)).await.unwrap();
            until(async || counters.read().trimmed == 7).await;
            resume.notify_waiters();
            until(async || counters.read().trimmed == 7 && counters.read().missed == 3).await;
        };
        worker
            .run_until(&redis, stop, async |delivered| {
                if delivered.event.number < 5 {
                    return Err("later");
                }
                resume.notified().await;
                Ok(())
            })
            .await?;
        let mut notices = notices.lock().unwrap().clone();
        notices.sort();
        let expected: Vec<_> = (0..7).map(|at| (ids[at], if at < 3 { "gone" } else { "w1" }.to_owned(), 1)).collect();
        assert_eq!(notices[0], (StreamId::MIN, "missed".to_owned(), 3), "{server}");
        assert_eq!(notices[1..], expected, "{server}");
        assert_eq!(counters.read().handled, 2, "{server}: handlers had them, so they count");
        assert_eq!(group.pending(&redis).await?.count, 0, "{server}");
    }
    Ok(())
}

/// A batch that is too large for one reply is read in parts.
#[tokio::test]
async fn a_reply_that_is_too_large_is_asked_for_in_parts() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let group = group("large");
        let redis = crate::direct(stack);
        append(&redis, &group, 0..200).await?;
        let builder = stack.builder().encoding(Encoding::Resp2).transport(Direct::new(stack.server.url()));
        let limited = builder.max_response_bytes(2000).build()?;
        // No other way back for those that were in the reply: nobody reclaims them.
        let worker = worker(&group, "w1").batch(200).max_deliveries(1).concurrency(100);
        let worker = worker.reclaim_idle(Duration::from_secs(60));
        let counters = worker.counters();
        let stop = until(async || counters.read().handled == 200);
        worker.run_until(&limited, stop, async |_| Ok::<_, String>(())).await?;
        let counts = counters.read();
        assert_eq!((counts.dead, counts.lost, counts.duplicates), (0, 0, 0), "{server}");
        assert!((1..20).contains(&counts.errors), "{server}: {counts:?}");

        // An entry that is too large on its own becomes a dead letter, and others are handled.
        let padding = "x".repeat(5000);
        redis.xadd(group.log().key(), [("number", "200"), ("padding", padding.as_str())]).await?;
        append(&redis, &group, [201]).await?;
        let worker = crate::worker(&group, "w1").batch(200);
        let counters = worker.counters();
        let stop = until(async || counters.read().handled == 1 && counters.read().dead == 1);
        worker.run_until(&limited, stop, async |_| Ok::<_, String>(())).await?;
        let letters = group.dead_letters(&redis, StreamId::MIN, 10).await?;
        let letter = letters.into_iter().next().unwrap()?;
        assert!(letter.error.contains("max_response_bytes"), "{server}: {}", letter.error);
        assert_eq!(letter.event?.number, 200, "{server}");

        // A reply that is too large without any entry ends the worker.
        append(&redis, &group, [1]).await?;
        let tiny = stack.builder().encoding(Encoding::Resp2).transport(Direct::new(stack.server.url()));
        let tiny = tiny.max_response_bytes(60).build()?;
        let error = crate::worker(&group, "w1").batch(4).run(&tiny, async |_| Ok::<_, String>(())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{server}: {error}");
    }
    Ok(())
}

/// The scripts without their fences: the tests above would notice.
#[tokio::test]
async fn a_script_without_its_fence_is_noticed() -> Result<()> {
    // One that does not know the right scripts yet.
    let stack = &own_stack();
    let redis = crate::direct(stack);
    for (right, wrong, owner_after) in [
        ("most, consumer)", "most)", None),
        ("stored == count or", "stored or", None),
        ("most, consumer)", "most, consumer)", Some("thief")),
        // Each count is asked for on its own.
        ("4 * range.number + 1", "0", Some("thief")),
    ] {
        let group = group("mutation");
        let id = append(&redis, &group, [1]).await?[0];
        let builder = stack.builder().encoding(Encoding::Resp2).transport(Direct::new(stack.server.url()));
        let mutated = builder.wrap_transport(move |inner| Mutated { inner, right, wrong }).build()?;
        let (begun, resume) = (Notify::new(), Notify::new());
        let worker = worker(&group, "w1").reclaim_idle(Duration::from_secs(60));
        let counters = worker.counters();
        let thief = if wrong == "stored or" { "w1" } else { "thief" };
        let stop = async {
            begun.notified().await;
            let options = XClaimOptions::new().retry_count(if thief == "w1" { 2 } else { 1 });
            redis.xclaim_justid(group.log().key(), "g", thief, Duration::ZERO, [id], options).await.unwrap();
            resume.notify_one();
            until(async || counters.read().duplicates + counters.read().handled == 1).await;
        };
        worker
            .run_until(&mutated, stop, async |_| {
                begun.notify_one();
                resume.notified().await;
                Ok::<_, String>(())
            })
            .await?;
        let found = owner(&redis, &group, id).await.map(|(name, _)| name);
        assert_eq!(found.as_deref(), owner_after, "{wrong}");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_of_another_type_ends_the_worker() -> Result<()> {
    for (_, redis) in clients() {
        let group = group("type");
        redis.set(group.retries_key(), "text").await?;
        append(&redis, &group, [1]).await?;
        let error = worker(&group, "w1").run(&redis, async |_| Ok::<_, String>(())).await.unwrap_err();
        assert!(error.is_wrong_type(), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_handler_that_panics_ends_the_worker_and_its_attempt_counts() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("panics");
        let id = append(&redis, &group, [1]).await?[0];
        let (worker, client) = (worker(&group, "w1"), redis.clone());
        let run =
            tokio::spawn(async move { worker.run(&client, async |_| -> Result<()> { panic!("as a test") }).await });
        assert!(run.await.unwrap_err().is_panic(), "{server}");
        let (consumer, attempts) = owner(&redis, &group, id).await.unwrap();
        assert_eq!((consumer.as_str(), attempts), ("w1", 1), "{server}");
    }
    Ok(())
}

/// Workers compare no time of their own with one of the server: their sources do not read the clock.
#[test]
fn no_clock_of_the_client_is_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../mapper/src/stream/worker");
    let files = [folder.join("book"), folder].map(|folder| std::fs::read_dir(folder).unwrap());
    for path in files.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(&path).unwrap();
        for clock in ["SystemTime::now", "Instant"] {
            assert!(!text.contains(clock), "{} reads the clock: {clock}", path.display());
        }
    }
}

/// A dead letter that the server refuses waits, and holds up nothing else.
#[tokio::test]
async fn a_server_out_of_memory_keeps_no_acknowledgement_back() -> Result<()> {
    for stack in [own_stack(), own_valkey()] {
        let redis = crate::direct(&stack);
        let group = group("memory");
        append(&redis, &group, 0..20).await?;
        group.create(&redis).await?;
        let refused = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&refused);
        let worker = worker(&group, "w1").max_deliveries(1).on_notice(move |notice| {
            if let Notice::NotBuried { error, .. } = notice {
                assert!(error.contains("OOM"), "{error}");
                seen.fetch_add(1, Ordering::Relaxed);
            }
        });
        let counters = worker.counters();
        let stop = async {
            until(async || counters.read().handled == 19 && refused.load(Ordering::Relaxed) > 0).await;
            assert_eq!(group.pending(&redis).await.unwrap().count, 1);
            redis.config_set([("maxmemory", "0")]).await.unwrap();
            until(async || counters.read().dead == 1).await;
        };
        let handler = async |job: Delivered<Job>| {
            if job.event.number == 7 {
                // On its own: a script that has written already may go on.
                until(async || counters.read().handled == 19).await;
                redis.config_set([("maxmemory", "1mb"), ("maxmemory-policy", "noeviction")]).await.unwrap();
                return Err("never");
            }
            Ok(())
        };
        worker.run_until(&redis, stop, handler).await?;
        assert_eq!(group.count_dead_letters(&redis).await?, 1);
    }
    Ok(())
}

/// A group that nobody has created is not created by a worker that was told of an existing one.
#[tokio::test]
async fn a_missing_log_is_no_existing_group() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("missing");
        let error = worker(&group, "w1").existing_group().run(&redis, async |_| Ok::<_, String>(())).await.unwrap_err();
        assert!(error.is_not_found(), "{server}: {error}");
        assert!(!group.log().exists(&redis).await?, "{server}");
    }
    Ok(())
}
