//! The seam between history and live entries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis_model::Since;
use redis_model::commands::stream::StreamId;
use redis_model::prelude::*;
use redis_model_tests::random::Random;
use redis_model_tests::{Stack, key};

use crate::switch::Switch;
use crate::{SOON, Tick, append, numbers, servers};

const READERS: u64 = 20;
const WRITERS: u64 = 4;
const LAST: u64 = u64::MAX;

/// A pseudo-random number.
fn mixed(seed: u64) -> u64 {
    Random::new(seed).below(1 << 31)
}

/// Reads to the last entry. Returns the id at which it started, and those of the entries.
async fn read(redis: Redis, key: String, number: u64, length: Duration) -> Result<(StreamId, Vec<StreamId>)> {
    let log = Tick::log(&key);
    tokio::time::sleep(length.mul_f64(mixed(number) as f64 / (1_u64 << 31) as f64)).await;
    let since = match number % 4 {
        0 => Since::Start,
        1 => Since::Now,
        2 => Since::Last(mixed(number) % 1500),
        _ => match log.entries(&redis, ..).next().await {
            Some(first) => Since::After(first?.id),
            None => Since::Start,
        },
    };
    let mut tail = log.tail(&redis, since);
    tail.started().await?;
    let start = tail.token().id(log.key()).unwrap();
    let mut ids = Vec::new();
    loop {
        let entry = tail.next().await.unwrap()?;
        ids.push(entry.id);
        if entry.event?.number == LAST {
            return Ok((start, ids));
        }
        if mixed(ids.len() as u64 + number).is_multiple_of(500) {
            // A consumer that stops to think.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn write(redis: Redis, key: String, writer: u64, appends: u64, done: Arc<AtomicBool>) -> Result<()> {
    let log = Tick::log(&key);
    let mut next = 0;
    while next < appends {
        let mut batch = redis.batch();
        let until = (next + 1 + mixed(next + writer) % 30).min(appends);
        let slots: Vec<_> = (next..until).map(|number| log.append(&mut batch, &Tick { number })).collect();
        let replies = batch.exec().await?;
        for slot in slots {
            replies.take(slot)?;
        }
        next = until;
    }
    done.store(true, Ordering::SeqCst);
    Ok(())
}

async fn each_reader_sees_each_entry(name: &str, stack: &Stack, appends: u64) -> Result<()> {
    let (switch, k) = (Arc::new(Switch::default()), key("seam"));
    let (reader, writer) = (switch.redis(stack), stack.redis());
    let log = Tick::log(&k);
    append(&writer, &log, 0..700).await?;
    let began = Instant::now();
    // About as long as the appends take.
    let length = Duration::from_micros(150 * appends);
    let readers: Vec<_> =
        (0..READERS).map(|number| tokio::spawn(read(reader.clone(), k.clone(), number, length))).collect();
    let done: Vec<_> = (0..WRITERS).map(|_| Arc::new(AtomicBool::new(false))).collect();
    let writers = (0..WRITERS).zip(&done);
    let writers: Vec<_> = writers
        .map(|(number, done)| {
            tokio::spawn(write(writer.clone(), k.clone(), number, appends / WRITERS, Arc::clone(done)))
        })
        .collect();
    let mut breaks = 0;
    while !done.iter().all(|done| done.load(Ordering::SeqCst)) || breaks == 0 {
        switch.set_down(true);
        stack.over_tcp("CLIENT KILL TYPE pubsub").await;
        breaks += 1;
        tokio::time::sleep(Duration::from_millis(mixed(breaks) % 400)).await;
        switch.set_down(false);
        tokio::time::sleep(Duration::from_millis(300 + mixed(breaks) % 700)).await;
    }
    for writer in join_all(writers).await {
        writer.unwrap()?;
    }
    let written = began.elapsed();
    tokio::time::sleep(length.saturating_sub(written)).await;
    log.append(&writer, &Tick { number: LAST }).await?;
    let readers = tokio::time::timeout(SOON * 3, join_all(readers)).await.unwrap();
    let mut all = Vec::new();
    let mut entries = log.entries(&writer, ..);
    while let Some(entry) = entries.next().await {
        all.push(entry?.id);
    }
    assert_eq!(all.len() as u64, 700 + appends / WRITERS * WRITERS + 1);
    let mut yielded = 0;
    for (number, reader) in readers.into_iter().enumerate() {
        let (start, ids) = reader.unwrap()?;
        let expected: Vec<_> = all.iter().copied().filter(|id| *id > start).collect();
        let differs = ids.iter().zip(&expected).position(|(left, right)| left != right);
        assert!(
            ids == expected,
            "{name}, reader {number} from {start}: {} of {}, {differs:?}",
            ids.len(),
            expected.len()
        );
        yielded += ids.len();
    }
    println!(
        "{name}: {} entries in {written:?}, {yielded} yielded to {READERS} readers, {} requests, {} subscriptions, {breaks} breaks",
        all.len(),
        switch.requests(),
        switch.subscriptions(),
    );
    Ok(())
}

/// 20 readers that join at any time, four writers with pipelines, and subscriptions that break and are restored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seam_of_twenty_readers() -> Result<()> {
    let appends = std::env::var("TAIL_APPENDS").map_or(3000, |text| text.parse().unwrap());
    for (name, stack) in servers() {
        each_reader_sees_each_entry(name, &stack, appends).await?;
    }
    Ok(())
}

#[tokio::test]
async fn history_then_live() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Tick::log(key("plain"));
        append(&redis, &log, 0..1203).await?;
        let mut start = log.tail(&redis, Since::Start);
        let mut last = log.tail(&redis, Since::Last(3));
        let mut many = log.tail(&redis, Since::Last(1100));
        let mut now = log.tail(&redis, Since::Now);
        let mut none = log.tail(&redis, Since::Last(0));
        assert_eq!(numbers(&mut start, 1203).await?, (0..1203).collect::<Vec<_>>());
        assert_eq!(numbers(&mut last, 3).await?, [1200, 1201, 1202]);
        assert_eq!(numbers(&mut many, 1100).await?, (103..1203).collect::<Vec<_>>());
        now.started().await?;
        none.started().await?;
        append(&redis, &log, 2000..2005).await?;
        for tail in [&mut start, &mut last, &mut many, &mut now, &mut none] {
            assert_eq!(numbers(tail, 5).await?, [2000, 2001, 2002, 2003, 2004]);
        }
        // A log that does not exist yet.
        let log = Tick::log(key("later"));
        let mut tails = [Since::Start, Since::Now, Since::Last(7)].map(|since| log.tail(&redis, since));
        for tail in &mut tails {
            tail.started().await?;
        }
        append(&redis, &log, 0..2).await?;
        for tail in &mut tails {
            assert_eq!(numbers(tail, 2).await?, [0, 1]);
        }
    }
    Ok(())
}
