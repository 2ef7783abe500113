//! What is lost under a reader is reported, and nothing else is.

use std::time::Duration;

use redis_model::commands::stream::{StreamId, Trim};
use redis_model::prelude::*;
use redis_model::redis_rest::Command;
use redis_model::{Error, ErrorKind, Since};
use redis_model_tests::{ENCODINGS, key};
use tokio::time::timeout;

use crate::{Tick, append, eager, item, numbers, servers};

#[tokio::test]
async fn trimmed_under_the_reader() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Tick::log(key("trimmed"));
        append(&redis, &log, 0..10).await?;
        let mut tail = log.tail_with(&redis, Since::Start, eager().page(5));
        assert_eq!(numbers(&mut tail, 10).await?, (0..10).collect::<Vec<_>>());

        // All that it has read is trimmed: nothing is missing.
        redis.xtrim(log.key(), Trim::max_len(0)).await?;
        append(&redis, &log, 10..12).await?;
        assert_eq!(numbers(&mut tail, 2).await?, [10, 11]);
        redis.transaction().xtrim(log.key(), Trim::max_len(0)).submit(log_append(&log, 12)).exec().await?;
        assert_eq!(numbers(&mut tail, 1).await?, [12]);
        // So is what somebody deletes that was read.
        let id = log.append(&redis, &Tick { number: 13 }).await?;
        assert_eq!(numbers(&mut tail, 1).await?, [13]);
        redis.xdel(log.key(), id).await?;
        append(&redis, &log, [14]).await?;
        assert_eq!(numbers(&mut tail, 1).await?, [14]);

        // While it does not read, more than it knows is trimmed.
        append(&redis, &log, 20..40).await?;
        redis.xtrim(log.key(), Trim::max_len(4)).await?;
        let error = item(&mut tail).await.unwrap_err();
        assert!(error.is_lagged() && error.key() == Some(log.key()) && error.model() == Some("Tick"), "{error}");
        assert!(error.message().starts_with("16 entries after "), "{error}");
        assert_eq!(numbers(&mut tail, 4).await?, [36, 37, 38, 39]);

        // Everything, and nothing follows yet.
        append(&redis, &log, 40..43).await?;
        redis.xtrim(log.key(), Trim::max_len(0)).await?;
        let error = item(&mut tail).await.unwrap_err();
        assert!(error.message().starts_with("3 entries after "), "{error}");
        append(&redis, &log, [50]).await?;
        assert_eq!(numbers(&mut tail, 1).await?, [50]);
        let token = tail.token();
        drop(tail);

        // A reader that was away learns the same.
        append(&redis, &log, 51..60).await?;
        redis.xtrim(log.key(), Trim::max_len(2)).await?;
        let mut tail = log.tail_with(&redis, Since::Start, eager().resume(token));
        let error = item(&mut tail).await.unwrap_err();
        assert!(error.message().starts_with("7 entries after "), "{error}");
        assert_eq!(numbers(&mut tail, 2).await?, [58, 59]);
        // An id alone does not tell how many.
        let mut tail = log.tail(&redis, StreamId::new(1, 1));
        let error = item(&mut tail).await.unwrap_err();
        assert!(error.is_lagged() && error.message().contains("may have been"), "{error}");
        assert_eq!(numbers(&mut tail, 2).await?, [58, 59]);
    }
    Ok(())
}

fn log_append(log: &redis_model::Log<Tick>, number: u64) -> Command<StreamId> {
    log.append(redis_model::redis_rest::Build, &Tick { number })
}

#[tokio::test]
async fn deleted_under_the_reader() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        for made_anew_at_once in [false, true] {
            let log = Tick::log(key("deleted"));
            append(&redis, &log, 0..10).await?;
            let mut tail = log.tail_with(&redis, Since::Start, eager());
            assert_eq!(numbers(&mut tail, 10).await?.len(), 10);
            let token = tail.token();
            redis.del(log.key()).await?;
            if !made_anew_at_once {
                let error = item(&mut tail).await.unwrap_err();
                assert!(error.is_lagged() && error.message().contains("was deleted"), "{error}");
            }
            // A new one with lower ids, as after a restore or with ids of versions.
            log.append_at(&redis, StreamId::new(1, 0), &Tick { number: 100 }).await?;
            log.append_at(&redis, StreamId::new(2, 0), &Tick { number: 101 }).await?;
            if made_anew_at_once {
                assert!(item(&mut tail).await.unwrap_err().is_lagged());
            }
            assert_eq!(numbers(&mut tail, 2).await?, [100, 101]);
            log.append_at(&redis, StreamId::new(3, 0), &Tick { number: 102 }).await?;
            assert_eq!(numbers(&mut tail, 1).await?, [102]);
            // Ids that jump ahead are just ids.
            log.append_at(&redis, StreamId::new(1 << 60, 0), &Tick { number: 103 }).await?;
            assert_eq!(numbers(&mut tail, 1).await?, [103]);

            // A token of the old one.
            let mut late = log.tail_with(&redis, Since::Now, eager().resume(token));
            assert!(item(&mut late).await.unwrap_err().is_lagged());
            assert_eq!(numbers(&mut late, 4).await?, [100, 101, 102, 103]);
        }
        // A new one with higher ids.
        let log = Tick::log(key("higher"));
        append(&redis, &log, 0..10).await?;
        let mut tail = log.tail_with(&redis, Since::Start, eager());
        assert_eq!(numbers(&mut tail, 10).await?.len(), 10);
        redis.del(log.key()).await?;
        append(&redis, &log, [100]).await?;
        assert!(item(&mut tail).await.unwrap_err().is_lagged());
        assert_eq!(numbers(&mut tail, 1).await?, [100]);
    }
    Ok(())
}

/// However many entries the new one has had, and has left. If as many of its own were trimmed as were read of the old one,
/// what is lost is counted as if it was the old one.
#[tokio::test]
async fn begun_again_and_trimmed_under_the_reader() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        for (added, left) in [(2, 2), (9, 9), (9, 7), (9, 5), (9, 1), (9, 0)] {
            let log = Tick::log(key("reborn"));
            append(&redis, &log, 0..3).await?;
            let mut tail = log.tail_with(&redis, Since::Start, eager());
            assert_eq!(numbers(&mut tail, 3).await?.len(), 3);
            log.clear(&redis).await?;
            append(&redis, &log, 10..10 + added).await?;
            redis.xtrim(log.key(), Trim::max_len(left)).await?;
            let first = item(&mut tail).await;
            assert!(first.as_ref().is_err_and(Error::is_lagged), "{name} {added}/{left}: {first:?}");
            append(&redis, &log, [100]).await?;
            let mut seen = Vec::new();
            while seen.last() != Some(&100) {
                // A new one that was trimmed is one more report.
                match item(&mut tail).await {
                    Err(error) if error.is_lagged() && seen.is_empty() => {}
                    entry => seen.push(entry?.event?.number),
                }
            }
            assert_eq!(seen.len() as u64, left + 1, "{name} {added}/{left}: {seen:?}");
        }
    }
    Ok(())
}

/// What a tail yields, and what it reports as lost, is all that was appended.
#[tokio::test]
async fn each_trimmed_entry_is_accounted_for() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let log = Tick::log(key("accounts"));
        append(&redis, &log, [0]).await?;
        let mut tail = log.tail_with(&redis, Since::Start, eager().page(7));
        assert_eq!(numbers(&mut tail, 1).await?, [0]);
        let (mut seen, mut lost, mut total) = (1, 0, 1);
        for (burst, most) in [3, 50, 11, 0, 3, 50, 11, 0, 1, 2, u64::MAX].into_iter().enumerate() {
            append(&redis, &log, 0..40).await?;
            total += 40;
            let left = if most == u64::MAX { 40 } else { 15 };
            redis.xtrim(log.key(), Trim::max_len(left)).await?;
            for _ in 0..most {
                if seen + lost == total {
                    break;
                }
                match item(&mut tail).await {
                    Ok(_) => seen += 1,
                    Err(error) => {
                        let count = error.message().split(' ').next().and_then(|count| count.parse::<u64>().ok());
                        assert!(error.is_lagged() && count.is_some(), "{name}: {error}");
                        lost += count.unwrap();
                    }
                }
            }
            assert!(seen + lost <= total, "{name}, burst {burst}: {seen} and {lost} of {total}");
        }
        assert_eq!(seen + lost, total, "{name}: {seen} and {lost}");
        assert!(lost > 0, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn at_the_last_id() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let log = Tick::log(key("last"));
        let first = StreamId::new(u64::MAX, u64::MAX - 1);
        log.append_at(&redis, first, &Tick { number: 0 }).await?;
        let starts = [Since::Start, Since::Last(u64::MAX), Since::Last(0), Since::Now];
        let mut tails = starts.map(|since| log.tail_with(&redis, since, eager()));
        for tail in &mut tails {
            tail.started().await?;
        }
        assert_eq!(item(&mut tails[0]).await?.id, first, "{name}");
        log.append(&redis, &Tick { number: 1 }).await?;
        for (tail, expected) in tails.iter_mut().zip([&[1][..], &[0, 1], &[1], &[1]]) {
            assert_eq!(numbers(tail, expected.len()).await?, expected, "{name}");
        }
        // Nothing can follow, and nothing is an error. The log has never had this id.
        for tail in &mut tails {
            assert!(timeout(Duration::from_millis(200), tail.next()).await.is_err(), "{name}");
        }
        let mut after = log.tail_with(&redis, first, eager());
        assert_eq!(numbers(&mut after, 1).await?, [1], "{name}");
        assert_eq!(log.after(&redis, StreamId::MAX, 10).await?.len(), 0, "{name}");
        assert_eq!(log.range(&redis, .., u64::MAX).await?.len(), 2, "{name}");
        assert_eq!(log.last(&redis, u64::MAX).await?.len(), 2, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_poison_entry_is_one_entry() -> Result<()> {
    for (_, stack) in servers() {
        for encoding in ENCODINGS {
            let redis = stack.builder().encoding(encoding).build()?;
            let log = Tick::log(key("poison"));
            append(&redis, &log, [1]).await?;
            let bad = redis.xadd(log.key(), [("other", "field")]).await?;
            redis.xadd(log.key(), [("number", "many")]).await?;
            append(&redis, &log, [2]).await?;
            let mut tail = log.tail_with(&redis, Since::Start, eager());
            assert_eq!(numbers(&mut tail, 1).await?, [1]);
            let entry = item(&mut tail).await?;
            let error = entry.event.unwrap_err();
            assert_eq!((entry.id, error.command(), error.key()), (bad, Some("XREAD"), Some(log.key())), "{error}");
            assert!(item(&mut tail).await?.event.is_err());
            assert_eq!(numbers(&mut tail, 1).await?, [2]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn reads_that_fail() -> Result<()> {
    let (_, stack) = servers().swap_remove(0);
    let redis = stack.redis();
    // Another type: an error at once, and again, until it is a stream.
    let log = Tick::log(key("wrong"));
    redis.set(log.key(), "text").await?;
    let mut tail = log.tail_with(&redis, Since::Start, eager());
    for _ in 0..3 {
        let error = item(&mut tail).await.unwrap_err();
        assert!(error.is_wrong_type() && error.key() == Some(log.key()), "{error}");
    }
    redis.del(log.key()).await?;
    append(&redis, &log, [1]).await?;
    let number = loop {
        match item(&mut tail).await {
            Ok(entry) => break entry.event?.number,
            Err(error) => assert!(error.is_wrong_type(), "{error}"),
        }
    };
    assert_eq!(number, 1);

    // A malformed key ends it.
    let mut tail = Tick::log("a:b").tail(&redis, Since::Start);
    assert!(tail.started().await.unwrap_err().is_invalid_input());
    assert!(tail.next().await.is_none());

    // A page that is larger than the client reads: smaller pages.
    let log = Tick::log(key("large"));
    for number in 0..40_u64 {
        redis.xadd(log.key(), [("number", number.to_string()), ("padding", "x".repeat(20_000))]).await?;
    }
    let careful = stack.builder().max_response_bytes(100_000).build()?;
    let mut tail = log.tail_with(&careful, Since::Start, eager());
    assert_eq!(numbers(&mut tail, 40).await?, (0..40).collect::<Vec<_>>());
    redis.xadd(log.key(), [("number", "40".to_owned()), ("padding", "x".repeat(60_000))]).await?;
    redis.xadd(log.key(), [("number", "41".to_owned()), ("padding", "x".repeat(60_000))]).await?;
    assert_eq!(numbers(&mut tail, 2).await?, [40, 41]);
    redis.xadd(log.key(), [("number", "42".to_owned()), ("padding", "x".repeat(120_000))]).await?;
    redis.xadd(log.key(), [("number", "43")]).await?;
    let oversized = item(&mut tail).await?;
    assert_eq!(oversized.event.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(numbers(&mut tail, 1).await?, [43]);

    // Nobody there: the tail retries, and then says so.
    let nobody = Redis::builder("http://127.0.0.1:9", "token").build()?;
    let mut tail = Tick::log("nobody").tail_with(&nobody, Since::Start, eager().retries(1));
    for _ in 0..2 {
        assert!(item(&mut tail).await.unwrap_err().is_connect());
    }
    Ok(())
}

/// What the scripts count, and what `Group::status` does.
const MISSED: &str = concat!(
    include_str!("../../../mapper/src/scripts/stream_facts.lua"),
    include_str!("../../../mapper/src/scripts/stream_missed.lua"),
    "local stream = KEYS[1]\n",
    "return (missed_by(stream, facts_of(stream), progress_of(stream, ARGV[1])))\n",
);

#[tokio::test]
async fn a_group_has_missed_what_it_can_no_longer_read() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let log = Tick::log(key("missed"));
        let group = log.group("g");
        group.create(&redis).await?;
        let missed = async || -> Result<u64> {
            let counted = group.status(&redis).await?.missed.unwrap();
            let by_script: u64 =
                redis.execute(Command::read("EVAL").arg(MISSED).arg(1).key(log.key()).arg("g")).await?;
            assert_eq!(counted, by_script, "{name}");
            Ok(counted)
        };
        assert_eq!(missed().await?, 0, "{name}");
        // Before its first read, nobody has counted what it has read.
        append(&redis, &log, 0..60).await?;
        redis.xtrim(log.key(), Trim::max_len(20)).await?;
        assert_eq!(missed().await?, 40, "{name}");
        // A worker that has reported them tells the server, and nobody counts them again.
        let told = log.group("told");
        told.create(&redis).await?;
        redis.execute::<()>(["XGROUP", "SETID", log.key(), "told", "0", "ENTRIESREAD", "40"]).await?;
        assert_eq!(told.status(&redis).await?.missed, Some(0), "{name}");
        // It goes on with what is left, and has missed nothing since: Redis 7.0 still counts 20 that it has read.
        let read = group.read(&redis, "c", 5).await?;
        assert_eq!((read.len(), missed().await?), (5, 0), "{name}");
        assert_eq!((group.read(&redis, "c", 100).await?.len(), missed().await?), (15, 0), "{name}");
        // Entries that it has read may go.
        redis.xtrim(log.key(), Trim::max_len(1)).await?;
        assert_eq!(missed().await?, 0, "{name}");
    }
    Ok(())
}
