//! Workers of a queue that are dropped at random moments, over a network that loses requests and replies: every job is
//! done, or dead because it is poison, and no two handlers have it at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redis_model::Queue;
use redis_model::list::WorkerJob;
use redis_model::prelude::*;
use redis_model::redis_rest::RetryPolicy;
use redis_model_tests::chaos::Chaos;
use redis_model_tests::{Stack, key};
use tokio::time::{sleep, timeout};

use crate::queue::Job;
use crate::random::{Random, seed};
use crate::servers;

const JOBS: u64 = 300;
const WORKERS: u64 = 3;
const HOLD_FOR: Duration = Duration::from_millis(1000);

#[derive(Default)]
struct Seen {
    /// How often each job was done.
    done: Mutex<BTreeMap<u64, u64>>,
    /// How many handlers have each job now.
    active: Mutex<BTreeMap<u64, u64>>,
    overlaps: AtomicU64,
    kills: AtomicU64,
    is_over: AtomicBool,
}

/// A handler that has a job, until it ends or is dropped.
struct Active<'a>(&'a Seen, u64);

impl<'a> Active<'a> {
    fn begin(seen: &'a Seen, number: u64) -> Self {
        let mut active = seen.active.lock().unwrap();
        let handlers = active.entry(number).or_default();
        *handlers += 1;
        seen.overlaps.fetch_add(u64::from(*handlers > 1), Ordering::Relaxed);
        Active(seen, number)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        *self.0.active.lock().unwrap().get_mut(&self.1).unwrap() -= 1;
    }
}

fn is_poison(number: u64) -> bool {
    number % 50 == 7
}

/// Runs workers one after the other, each for a random time.
async fn workers(stack: &Stack, queue: &Queue<Job>, seen: &Seen, seed: u64) -> Result<()> {
    let random = Random::new(seed);
    let lossy = stack
        .builder()
        .retry(RetryPolicy::default().retries(1).backoff(Duration::from_millis(1), Duration::from_millis(5)))
        .wrap_transport(move |inner| Chaos::new(inner, seed, 100, Duration::from_millis(3)))
        .build()?;
    let times = Random::new(seed + 1);
    let handler = async |WorkerJob { job: Job { number }, .. }: WorkerJob<Job>| {
        let _active = Active::begin(seen, number);
        sleep(Duration::from_millis(times.below(40))).await;
        if is_poison(number) {
            return Err("poison");
        }
        *seen.done.lock().unwrap().entry(number).or_default() += 1;
        Ok(())
    };
    while !seen.is_over.load(Ordering::Relaxed) {
        let worker = queue
            .worker("w")
            .concurrency(1 + random.below(6))
            .poll(Duration::from_millis(5), Duration::from_millis(100))
            .retry(Duration::from_millis(5), Duration::from_millis(50))
            .grace(Duration::from_millis(20));
        let time = Duration::from_millis(50 + random.below(1000));
        if random.one_in(3) {
            // If it cannot give back its last jobs, they come back by themselves.
            match worker.run_until(&lossy, sleep(time), handler).await {
                Err(error) if !error.is_retryable() && !error.may_have_executed() => return Err(error),
                _ => {}
            }
        } else {
            let killed = timeout(time, worker.run(&lossy, handler)).await;
            assert!(killed.is_err(), "a worker ends: {killed:?}");
            seen.kills.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Returns the longest time by which a timer was late.
async fn stalls(seen: &Seen) -> Duration {
    let mut longest = Duration::ZERO;
    while !seen.is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        sleep(Duration::from_millis(20)).await;
        longest = longest.max(began.elapsed().saturating_sub(Duration::from_millis(20)));
    }
    longest
}

async fn all(name: &str, stack: Arc<Stack>, seed: u64) -> Result<()> {
    let redis = stack.redis();
    let queue = Job::queue(key("killed")).hold_for(HOLD_FOR).max_attempts(12);
    let jobs: Vec<_> = (0..JOBS).map(|number| Job { number }).collect();
    queue.push_many(&redis, &jobs).await?;
    let seen = Seen::default();
    let until = Instant::now() + Duration::from_secs(90);
    let watch = async {
        loop {
            let stats = queue.stats(&redis).await.unwrap();
            if stats.waiting + stats.delayed + stats.reserved == 0 {
                break;
            }
            assert!(Instant::now() < until, "{name}: the queue is not empty: {stats:?}");
            sleep(Duration::from_millis(20)).await;
        }
        seen.is_over.store(true, Ordering::Relaxed);
    };
    let all = futures_util::future::join_all((0..WORKERS).map(|n| workers(&stack, &queue, &seen, seed + 100 * n)));
    let (ends, (), stall) = tokio::join!(all, watch, stalls(&seen));
    ends.into_iter().collect::<Result<()>>()?;

    let dead = queue.dead(&redis, 0, 1000).await?;
    let mut dead: Vec<_> = dead.into_iter().map(|job| job.element.map(|job| job.number)).collect::<Result<_>>()?;
    dead.sort_unstable();
    assert_eq!(dead, (0..JOBS).filter(|number| is_poison(*number)).collect::<Vec<_>>(), "{name}: the dead");
    let done = seen.done.into_inner().unwrap();
    let lost: Vec<_> = (0..JOBS).filter(|number| !is_poison(*number) && !done.contains_key(number)).collect();
    assert!(lost.is_empty(), "{name}: never done: {lost:?}");
    let (overlaps, kills) = (seen.overlaps.into_inner(), seen.kills.into_inner());
    let repeats: u64 = done.values().map(|times| times - 1).sum();
    println!("{name}: {kills} killed, {repeats} done again, {overlaps} at once, timers were up to {stall:?} late");
    assert!(kills > 0);
    // A worker whose machine stands still cannot know that its time is over.
    assert!(overlaps == 0 || stall > HOLD_FOR / 20, "{name}: two handlers had a job at once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_dropped_do_every_job() -> Result<()> {
    let seed = seed("QUEUE_SEED");
    for (name, stack) in servers() {
        all(name, Arc::new(stack), seed).await?;
    }
    Ok(())
}
