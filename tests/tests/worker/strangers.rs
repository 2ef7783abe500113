//! Other programs at the keys of a group, two workers of one name, and what is too long for one request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::redis_rest::{Command, Value};
use redis_model::stream::{Delivered, Notice, Retention};

use crate::{Job, SERVERS, append, clients, group, until, worker};

/// Runs a command whose arguments need not be text.
async fn raw(redis: &Redis, args: &[&[u8]]) {
    let mut command = Command::write("EVAL").arg("return redis.call(unpack(ARGV))").arg(0);
    for arg in args {
        command = command.arg(*arg);
    }
    let _: Value = redis.execute(command).await.unwrap();
}

#[tokio::test]
async fn a_consumer_whose_name_is_no_text_is_taken_over() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let redis = stack.redis();
        let group = group("bytes");
        group.create(&redis).await?;
        append(&redis, &group, 0..3).await?;
        let log = group.log().key().as_bytes();
        raw(&redis, &[b"XREADGROUP", b"GROUP", b"g", b"\xff\xfe", b"COUNT", b"3", b"STREAMS", log, b">"]).await;
        let worker = worker(&group, "w1");
        let counters = worker.counters();
        let stop = until(async || counters.read().handled == 3);
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!(counters.read().reclaimed, 3, "{server}");
    }
    Ok(())
}

/// More fields than a script can copy one by one.
#[tokio::test]
async fn an_entry_of_many_fields_survives_being_a_dead_letter() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("fields");
        let mut command = Command::write("XADD").arg(group.log().key()).arg("*").arg("number").arg("8");
        for field in 0..4200 {
            command = command.arg(format!("f{field}")).arg("v");
        }
        let _: Value = redis.execute(command).await?;
        let first = worker(&group, "w1").max_deliveries(1);
        let counters = first.counters();
        let stop = until(async || counters.read().dead == 1);
        first.run_until(&redis, stop, async |_| Err::<(), _>("no")).await?;
        let letter = group.dead_letters(&redis, StreamId::MIN, 10).await?.remove(0)?;
        assert_eq!((letter.event?, letter.fields.len()), (Job { number: 8 }, 4201), "{server}");
        assert_eq!(group.redrive(&redis, 10).await?, 1, "{server}");
        let again = worker(&group, "w1").max_deliveries(1);
        let counters = again.counters();
        let stop = until(async || counters.read().handled == 1);
        again.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
    }
    Ok(())
}

#[tokio::test]
async fn forged_dead_letters_block_no_other() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("forged-letter");
        append(&redis, &group, [1]).await?;
        let (dead, log) = (group.dead_letters_key(), group.log().key().to_owned());
        let forged: [&[(&str, &str)]; 2] = [
            &[("::log", &log), ("a", "b"), ("c", "g")],
            &[("::log", &log), ("::id", "1-0"), ("::group", "g"), ("a", "b"), ("c", "d"), ("e", "f")],
        ];
        for fields in forged {
            redis.xadd(&dead, fields.iter().copied()).await?;
        }
        let worker = worker(&group, "w1").max_deliveries(1);
        let counters = worker.counters();
        let stop = until(async || counters.read().dead == 1);
        worker.run_until(&redis, stop, async |_| Err::<(), _>("no")).await?;
        let letters = group.dead_letters(&redis, StreamId::MIN, 10).await?;
        assert_eq!(
            letters.iter().map(std::result::Result::is_ok).collect::<Vec<_>>(),
            [false, false, true],
            "{server}"
        );
        assert_eq!(group.redrive(&redis, 10).await?, 1, "{server}");
    }
    Ok(())
}

#[tokio::test]
async fn redrives_at_the_same_time_move_each_letter_once() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("redrives");
        append(&redis, &group, 0..600).await?;
        let fail = worker(&group, "w1").max_deliveries(1).concurrency(300);
        let counters = fail.counters();
        let stop = until(async || counters.read().dead == 600);
        fail.run_until(&redis, stop, async |_| Err::<(), _>("no")).await?;
        let (all, some) = tokio::join!(group.redrive(&redis, u64::MAX), group.redrive(&redis, 350));
        assert_eq!(all? + some?, 600, "{server}");
        let seen = Mutex::new(Vec::new());
        let again = worker(&group, "w2").concurrency(100);
        let counters = again.counters();
        let stop = until(async || counters.read().handled == 600);
        again
            .run_until(&redis, stop, async |delivered| {
                seen.lock().unwrap().push(delivered.event.number);
                Ok::<_, String>(())
            })
            .await?;
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..600).collect::<Vec<_>>(), "{server}");
    }
    Ok(())
}

/// It is a mistake, which costs repetitions and nothing else.
#[tokio::test]
async fn two_workers_of_one_name_lose_nothing() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("twins");
        append(&redis, &group, 0..200).await?;
        let seen = Mutex::new(BTreeSet::new());
        let twin = || worker(&group, "same").concurrency(3);
        let (one, two) = (twin(), twin());
        let handler = async |delivered: Delivered<Job>| -> Result<(), &str> {
            tokio::time::sleep(Duration::from_millis(5)).await;
            seen.lock().unwrap().insert(delivered.event.number);
            if delivered.event.number.is_multiple_of(10) && delivered.attempt < 2 { Err("once more") } else { Ok(()) }
        };
        let is_drained = async || seen.lock().unwrap().len() == 200 && group.pending(&redis).await.unwrap().count == 0;
        let (first, second) = tokio::join!(
            one.run_until(&redis, until(is_drained), handler),
            two.run_until(&redis, until(is_drained), handler)
        );
        first?;
        second?;
        assert_eq!(group.count_dead_letters(&redis).await?, 0, "{server}");
    }
    Ok(())
}

/// Each entry was handled, or reported as trimmed while it was pending, or counted as missed.
#[tokio::test]
async fn a_worker_accounts_for_each_trimmed_entry() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("accounts");
        group.create(&redis).await?;
        let trimmed = Arc::new(Mutex::new(BTreeSet::new()));
        let noted = Arc::clone(&trimmed);
        let worker = worker(&group, "w1").concurrency(3).batch(5).on_notice(move |notice: &Notice<'_>| {
            if let Notice::Trimmed { id, .. } = notice {
                noted.lock().unwrap().insert(*id);
            }
        });
        let counters = worker.counters();
        let seen = Mutex::new(BTreeMap::new());
        let stop = async {
            for burst in 0..10 {
                append(&redis, &group, 0..60).await.unwrap();
                group.log().trim(&redis, Retention::new().max_len(20).exact()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(10 + 30 * (burst % 3))).await;
            }
            until(async || {
                let status = group.status(&redis).await.unwrap();
                status.info.pending == 0
                    && group.log().last(&redis, 1).await.unwrap()[0].id == status.info.last_delivered_id
            })
            .await;
        };
        worker
            .run_until(&redis, stop, async |delivered| {
                tokio::time::sleep(Duration::from_millis(4)).await;
                *seen.lock().unwrap().entry(delivered.id).or_insert(0) += 1;
                Ok::<_, String>(())
            })
            .await?;
        let seen: BTreeSet<_> = seen.into_inner().unwrap().into_keys().collect();
        let known = seen.union(&trimmed.lock().unwrap()).count() as u64;
        assert_eq!(600 - known, counters.read().missed, "{server}: {:?}", counters.read());
    }
    Ok(())
}

/// The free plan of the service takes 1 MB in a request.
#[tokio::test]
async fn many_long_errors_are_buried_in_several_requests() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let gateway = redis_rest_gateway::Gateway::over(stack.server.url()).max_request_bytes(1_000_000);
        let gateway = gateway.start().await.unwrap();
        let small = Redis::builder(gateway.url(), gateway.token()).build()?;
        let group = group("long-errors");
        append(&small, &group, 0..1000).await?;
        let worker = worker(&group, "w1").max_deliveries(1).concurrency(1000).batch(1000);
        let counters = worker.counters();
        let begun = std::cell::Cell::new(0);
        let long = "x".repeat(5000);
        let handler = async |_| {
            begun.set(begun.get() + 1);
            // All of them fail at the same time.
            until(async || begun.get() == 1000).await;
            Err::<(), _>(&long)
        };
        worker.run_until(&small, until(async || counters.read().dead == 1000), handler).await?;
        assert_eq!(group.count_dead_letters(&small).await?, 1000, "{server}");
    }
    Ok(())
}
