//! `QueueWorker`: what it does with jobs that succeed, fail, cannot be read, take long or are too large, and how it
//! ends.

use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis_model::list::{JobNotice, QueueStats, WorkerJob};
use redis_model::prelude::*;
use redis_model::redis_rest::RetryPolicy;
use redis_model::{Failure, Queue, QueueWorker};
use redis_model_tests::fault::Cut;
use redis_model_tests::{Stack, key, own_stack};
use tokio::time::sleep;

use crate::gate::Gate;
use crate::queue::Job;
use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "worker-text")]
struct Text {
    text: String,
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A queue that no other test has.
fn queue(name: &str) -> Queue<Job> {
    Job::queue(key(name)).max_attempts(3)
}

/// A worker that is quick enough for a test.
fn worker<M: ListModel>(queue: &Queue<M>) -> QueueWorker<M> {
    queue.worker("w1").poll(millis(5), millis(50)).retry(millis(5), millis(20)).grace(Duration::from_secs(20))
}

async fn push(redis: &Redis, queue: &Queue<Job>, numbers: std::ops::Range<u64>) -> Result<()> {
    let jobs: Vec<_> = numbers.map(|number| Job { number }).collect();
    queue.push_many(redis, &jobs).await.map(drop)
}

/// Waits until the queue has nothing but this many dead jobs.
async fn settled<M: ListModel>(redis: &Redis, queue: &Queue<M>, dead: u64) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < until, "{:?}", queue.stats(redis).await);
        let QueueStats { waiting, delayed, reserved, dead: found, .. } = queue.stats(redis).await.unwrap();
        if (waiting, delayed, reserved, found) == (0, 0, 0, dead) {
            return;
        }
        sleep(millis(5)).await;
    }
}

async fn failures(redis: &Redis) -> Result<()> {
    let queue = queue("failures");
    push(redis, &queue, 0..40).await?;
    let notices = Mutex::new(Vec::new());
    let notices: &'static Mutex<Vec<String>> = Box::leak(Box::new(notices));
    let worker = worker(&queue).on_notice(|notice| {
        if let JobNotice::Failed { error, .. } | JobNotice::Dead { error, .. } = notice {
            notices.lock().unwrap().push((*error).to_owned());
        }
    });
    let handler = async |WorkerJob { job, attempt, .. }: WorkerJob<Job>| match job.number {
        10 if attempt < 3 => Err(Failure::from("not yet")),
        11 => Err(Failure::from("never")),
        12 => Err(Failure::dead("no use")),
        13 if attempt == 1 => Err(Failure::retry_after(millis(1), "busy")),
        14 => pending().await,
        _ => Ok(()),
    };
    worker.timeout(millis(300)).run_until(redis, settled(redis, &queue, 3), handler).await?;
    let mut notices = std::mem::take(&mut *notices.lock().unwrap());
    notices.sort();
    let late = "the handler has taken longer than 300ms";
    let expected = [["busy"].as_slice(), &["never"; 3], &["no use"], &["not yet"; 2], &[late; 3]].concat();
    assert_eq!(notices, expected);
    let dead = queue.dead(redis, 0, 10).await?;
    let attempts = |number| dead.iter().find(|job| job.element.as_ref().unwrap().number == number).unwrap().attempts;
    assert_eq!([11, 12, 14].map(attempts), [3, 1, 3]);
    Ok(())
}

async fn counters(redis: &Redis) -> Result<()> {
    let queue = queue("counters");
    push(redis, &queue, 0..500).await?;
    redis.execute::<u64>(["HSET", &format!("{}:jobs", queue.key()), "7", "no job"]).await?;
    let worker = worker(&queue).concurrency(50);
    worker.run_until(redis, settled(redis, &queue, 1), async |_| Ok::<_, String>(())).await?;
    let counts = worker.counters().read();
    assert_eq!((counts.handled, counts.failed, counts.dead, counts.lost, counts.duplicates), (499, 1, 1, 0, 0));
    // A request settles what has ended, and reserves the next 50; and some polls find nothing.
    assert!(counts.requests <= 30, "{counts:?}");
    Ok(())
}

/// A handler may take much longer than a reservation lasts, and no other worker gets the job meanwhile.
async fn long_jobs(redis: &Redis) -> Result<()> {
    let queue = queue("long").hold_for(millis(1000)).max_attempts(9);
    push(redis, &queue, 0..2).await?;
    let began = AtomicU64::new(0);
    let handler = async |_| {
        began.fetch_add(1, Ordering::Relaxed);
        sleep(millis(2500)).await;
        Ok::<_, String>(())
    };
    let (one, other) = (worker(&queue), worker(&queue));
    let ends = tokio::join!(
        one.run_until(redis, settled(redis, &queue, 0), handler),
        other.run_until(redis, settled(redis, &queue, 0), handler),
    );
    ends.0.and(ends.1)?;
    // A worker whose machine stands still loses a job, and counts that.
    let (one, other) = (one.counters().read(), other.counters().read());
    assert_eq!(began.into_inner(), 2 + one.lost + other.lost + one.duplicates + other.duplicates);
    Ok(())
}

/// The last handlers finish within the grace. Others are dropped, and their jobs are the next ones again, without an
/// attempt less.
async fn graceful(redis: &Redis) -> Result<()> {
    let queue = queue("grace");
    push(redis, &queue, 0..4).await?;
    let worker = worker(&queue).concurrency(2).grace(millis(200));
    let stop = async {
        while queue.stats(redis).await.unwrap().reserved < 2 {
            sleep(millis(5)).await;
        }
    };
    let handler = async |WorkerJob { job, .. }: WorkerJob<Job>| match job.number {
        0 => Ok::<_, String>(()),
        _ => pending().await,
    };
    worker.run_until(redis, stop, handler).await?;
    let stats = queue.stats(redis).await?;
    assert_eq!((stats.reserved, stats.dead), (0, 0));
    let next = queue.reserve(redis, "w2").await?.unwrap();
    assert_eq!((next.attempt, next.element?.number == 0), (1, false));
    Ok(())
}

/// A lost reply takes no attempt from the jobs that it had reserved, and none is done twice.
async fn lost_replies(stack: &Stack) -> Result<()> {
    let redis = &stack.redis();
    let gate = Gate::default();
    let cut_off = gate.before(stack.builder().retry(RetryPolicy::never())).build()?;
    let queue = queue("replies").max_attempts(1);
    queue.recover(&cut_off, 1).await?; // so that it knows the server's dialect of scripts
    for cuts in [
        vec![Cut::After],
        vec![Cut::Nowhere, Cut::After],
        vec![Cut::After, Cut::During, Cut::After],
        vec![Cut::Before, Cut::After, Cut::After],
    ] {
        gate.set(cuts.clone());
        push(redis, &queue, 0..20).await?;
        let done = Mutex::new(Vec::new());
        let worker = worker(&queue);
        let handler = async |job: WorkerJob<Job>| {
            done.lock().unwrap().push((job.job.number, job.attempt));
            Ok::<_, String>(())
        };
        worker.run_until(&cut_off, settled(redis, &queue, 0), handler).await?;
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!(done, (0..20).map(|number| (number, 1)).collect::<Vec<_>>(), "{cuts:?}");
        let counts = worker.counters().read();
        assert_eq!((counts.handled, counts.duplicates, counts.lost), (20, 0, 0), "{cuts:?}: {counts:?}");
    }
    Ok(())
}

/// A job that no reply has room for is dead. Its neighbours are done, in order, at their first attempt.
async fn too_large(stack: &Stack) -> Result<()> {
    let redis = &stack.redis();
    let small = stack.builder().max_response_bytes(20_000).build()?;
    let queue = Text::queue(key("large")).max_attempts(1);
    let sizes = [10, 100_000, 8_000, 9_000, 10, 40_000, 10_000, 10];
    let jobs: Vec<_> = sizes.iter().map(|size| Text { text: "x".repeat(*size) }).collect();
    queue.push_many(redis, &jobs).await?;
    let done = Mutex::new(Vec::new());
    let handler = async |job: WorkerJob<Text>| {
        done.lock().unwrap().push(job.job.text.len());
        Ok::<_, String>(())
    };
    worker(&queue).concurrency(5).run_until(&small, settled(redis, &queue, 2), handler).await?;
    assert_eq!(done.into_inner().unwrap(), [10, 8_000, 9_000, 10, 10_000, 10]);
    for job in queue.dead(redis, 0, 9).await? {
        assert!(job.failures[0].error.contains("max_response_bytes"), "{:?}", job.failures);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_on_every_server() -> Result<()> {
    for (name, stack) in servers() {
        println!("{name}");
        let redis = &stack.redis();
        failures(redis).await?;
        counters(redis).await?;
        long_jobs(redis).await?;
        graceful(redis).await?;
        lost_replies(&stack).await?;
        too_large(&stack).await?;
    }
    Ok(())
}

#[tokio::test]
async fn options_that_are_not_possible_are_refused() {
    let redis = Redis::builder("http://127.0.0.1:1", "none").build().unwrap();
    let queue = Job::queue("options");
    let idle = async |_| Ok::<_, String>(());
    for worker in [
        queue.worker("w").concurrency(0),
        queue.worker("w").poll(Duration::ZERO, millis(1)),
        queue.worker("w").poll(millis(2), millis(1)),
        queue.worker("w").retry(millis(2), millis(1)),
        queue.clone().hold_for(Duration::ZERO).worker("w"),
        Job::queue("a:b").worker("w"),
    ] {
        assert!(worker.run(&redis, idle).await.unwrap_err().is_invalid_input(), "{worker:?}");
    }
}

/// A delay that the server cannot count is the longest that it can.
#[tokio::test]
async fn the_longest_delays_are_possible() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    for (first, longest) in [(Duration::MAX, Duration::MAX), (Duration::from_secs(3600), Duration::MAX)] {
        let queue = queue("delays");
        push(redis, &queue, 0..1).await?;
        let worker = worker(&queue).retry(first, longest);
        let counters = worker.counters();
        let stop = async {
            while counters.read().failed == 0 {
                sleep(millis(5)).await;
            }
        };
        worker.run_until(redis, stop, async |_| Err::<(), _>("no")).await?;
        let stats = queue.stats(redis).await?;
        assert_eq!((stats.delayed, stats.reserved), (1, 0));
    }
    Ok(())
}

/// The docs state the price: with a longest wait of 5 seconds, 720 requests an hour. Here, an hour is 3.6 seconds.
#[tokio::test]
async fn an_idle_worker_sends_what_the_pace_allows() -> Result<()> {
    for (server, stack) in servers() {
        let worker = queue("idle").worker("w1").poll(Duration::from_micros(500), millis(5));
        worker.run_until(&stack.redis(), sleep(millis(1800)), async |_| Ok::<_, String>(())).await?;
        let requests = worker.counters().read().requests;
        // The first polls, until the pace is slow, and then half of 720, each of which may come a tenth early.
        assert!((10..=5 + 360 * 11 / 10).contains(&requests), "{server}: {requests} requests");
    }
    Ok(())
}
