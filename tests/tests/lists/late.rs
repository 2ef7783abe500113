//! What a worker has given up, or could not do in time: requests that arrive after their successors, and handlers
//! whose deadlines have passed.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis_model::Queue;
use redis_model::list::WorkerJob;
use redis_model::prelude::*;
use redis_model::redis_rest::RetryPolicy;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};
use redis_model_tests::{Stack, key};
use tokio::time::sleep;

use crate::queue::Job;
use crate::servers;

/// Keeps one request back, lets the next one pass, and then none until it is open again.
#[derive(Debug, Clone, Default)]
struct Valve(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    kept: Option<(Arc<dyn Transport>, Request)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    KeepsNext,
    PassesOne,
    Shut,
    HasRefused,
}

#[derive(Debug)]
struct Valved(Arc<dyn Transport>, Valve);

#[async_trait]
impl Transport for Valved {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        {
            let mut state = self.1.0.lock().unwrap();
            match state.phase {
                Phase::Open => {}
                Phase::KeepsNext => {
                    *state = State { phase: Phase::PassesOne, kept: Some((Arc::clone(&self.0), request)) };
                    return Err(TransportError::interrupted("connection reset, on purpose"));
                }
                Phase::PassesOne => state.phase = Phase::Shut,
                Phase::Shut | Phase::HasRefused => {
                    state.phase = Phase::HasRefused;
                    return Err(TransportError::not_sent("connection refused, on purpose"));
                }
            }
        }
        self.0.send(request).await
    }
}

impl Valve {
    fn client(&self, stack: &Stack) -> Redis {
        let this = self.clone();
        let never = RetryPolicy::never();
        stack.builder().retry(never).wrap_transport(move |inner| Valved(inner, this.clone())).build().unwrap()
    }

    /// Keeps the next request back. Returns when the one after it was answered.
    async fn keep(&self) {
        self.0.lock().unwrap().phase = Phase::KeepsNext;
        until(|| self.0.lock().unwrap().phase == Phase::HasRefused).await;
    }

    /// Lets the server get what was kept.
    async fn deliver(&self) {
        let (inner, request) = self.0.lock().unwrap().kept.take().expect("a request was kept");
        inner.send(request).await.unwrap();
    }

    fn open(&self) {
        self.0.lock().unwrap().phase = Phase::Open;
    }
}

async fn until(is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "it takes too long");
        sleep(Duration::from_millis(1)).await;
    }
}

/// A request that arrives when its successor was answered reserves nothing: nobody would do the job.
#[tokio::test]
async fn a_late_request_takes_no_attempt() -> Result<()> {
    for (server, stack) in servers() {
        let redis = stack.redis();
        let queue = Job::queue(key("late")).max_attempts(1);
        let valve = Valve::default();
        let worker = queue.worker("w").poll(Duration::from_millis(5), Duration::from_millis(5)).concurrency(1);
        let counters = worker.counters();
        let stop = async {
            // The first request was answered: the client knows the script.
            until(|| counters.read().requests >= 2).await;
            let turns = || redis.keys::<String>(format!("{}:turn:*", queue.key()));
            assert_eq!(turns().await.unwrap(), [""; 0], "{server}: an idle worker has a key");
            valve.keep().await;
            let keys = turns().await.unwrap();
            assert_eq!(keys.len(), 1, "{server}");
            let left: u64 = redis.execute(["PTTL", &keys[0]]).await.unwrap();
            assert!(left > 10 * 60_000, "{server}: much longer than `hold_for`, and than a client waits: {left} ms");
            queue.push(&redis, &Job { number: 7 }).await.unwrap();
            valve.deliver().await;
            let stats = queue.stats(&redis).await.unwrap();
            assert_eq!((stats.waiting, stats.reserved), (1, 0), "{server}");
            valve.open();
            until(|| counters.read().handled == 1).await;
        };
        worker.run_until(&valve.client(&stack), stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!(queue.stats(&redis).await?.dead, 0, "{server}");
        let keys: Vec<String> = redis.keys(format!("{}:turn:*", queue.key())).await?;
        let left: u64 = redis.execute(["PTTL", &keys[0]]).await?;
        assert!(left > 10 * 60_000, "{server}: a job that was reserved since does not shorten that: {left} ms");
    }
    Ok(())
}

/// A handler that blocks the thread stops the worker, as a pause of the process does. Meanwhile the deadlines of all
/// jobs pass. The other handlers do nothing more: another worker may have their jobs.
#[tokio::test]
async fn after_a_pause_no_handler_goes_on() -> Result<()> {
    for (server, stack) in servers() {
        let redis = stack.redis();
        let queue = Job::queue(key("pause")).hold_for(Duration::from_millis(500)).max_attempts(99);
        queue.push_many(&redis, &[Job { number: 0 }, Job { number: 1 }]).await?;
        let (has_begun, is_over, steps) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
        let handler = async |WorkerJob { job, attempt, .. }: WorkerJob<Job>| {
            if attempt > 1 {
                return Ok::<_, String>(());
            }
            if job.number == 1 {
                until(|| has_begun.load(SeqCst)).await;
                std::thread::scope(|scope| scope.spawn(|| until_taken_back(&stack, &queue)).join().unwrap());
                is_over.store(true, SeqCst);
                return Ok(());
            }
            has_begun.store(true, SeqCst);
            loop {
                sleep(Duration::from_millis(1)).await;
                steps.fetch_add(u64::from(is_over.load(SeqCst)), SeqCst);
            }
        };
        let worker = queue.worker("w").poll(Duration::from_millis(5), Duration::from_millis(50)).concurrency(2);
        let stop = async {
            loop {
                let stats = queue.stats(&redis).await.unwrap();
                if stats.waiting + stats.reserved == 0 {
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        worker.run_until(&redis, stop, handler).await?;
        assert_eq!(steps.into_inner(), 0, "{server}");
    }
    Ok(())
}

/// Waits on a thread of its own until the deadlines of all jobs have passed, and takes the jobs back.
fn until_taken_back(stack: &Stack, queue: &Queue<Job>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let redis = stack.redis();
        while queue.stats(&redis).await.unwrap().reserved > 0 {
            queue.recover(&redis, 10).await.unwrap();
            sleep(Duration::from_millis(5)).await;
        }
    });
}
