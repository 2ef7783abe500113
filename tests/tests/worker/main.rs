//! Consumer groups and workers, on Redis 8.2, Valkey 9.1 and Redis 7.0.
//!
//! Three worker processes that are killed at random, with a network that loses requests and replies (by default, 2,000
//! events):
//!
//! ```text
//! WORKER_EVENTS=50000 cargo test -p redis-model-tests --test worker killed -- --nocapture
//! ```
//!
//! `WORKER_SEED=7` draws the same random numbers again, and `WORKER_SERVER=1` picks the second server.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and reports"
)]

mod attacks;
mod exactly;
mod failures;
mod group;
mod idle;
mod killed;
mod late;
mod shutdown;
mod strangers;
mod waits;
mod wishes;
mod worker;

use std::sync::LazyLock;
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::redis_rest::Encoding;
use redis_model::{Group, Worker};
use redis_model_tests::direct::Direct;
use redis_model_tests::{Stack, key, own_redis_7_0, own_stack, own_valkey};

/// An event of these tests.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "worker-test")]
struct Job {
    number: u64,
}

static SERVERS: LazyLock<Vec<(&str, Stack)>> = LazyLock::new(|| {
    let servers = [
        Some(("Redis 8.2", own_stack())),
        Some(("Valkey 9.1", own_valkey())),
        own_redis_7_0().map(|stack| ("Redis 7.0", stack)),
    ];
    servers.into_iter().flatten().collect()
});

/// A client of each server, without HTTP between them.
fn clients() -> Vec<(&'static str, Redis)> {
    SERVERS.iter().map(|(name, stack)| (*name, direct(stack))).collect()
}

fn direct(stack: &Stack) -> Redis {
    stack.builder().encoding(Encoding::Resp2).transport(Direct::new(stack.server.url())).build().unwrap()
}

/// A group of a log that no other test has.
fn group(name: &str) -> Group<Job> {
    Job::log(key(name)).group("g")
}

/// A worker that is quick enough for a test.
fn worker(group: &Group<Job>, name: &str) -> Worker<Job> {
    Worker::new(group.clone(), name)
        .poll(Duration::from_millis(5), Duration::from_millis(50))
        .retry(Duration::from_millis(20), Duration::from_millis(40))
        .reclaim_idle(Duration::from_millis(400))
        .grace(Duration::from_secs(2))
}

async fn append(redis: &Redis, group: &Group<Job>, numbers: impl IntoIterator<Item = u64>) -> Result<Vec<StreamId>> {
    let jobs: Vec<_> = numbers.into_iter().map(|number| Job { number }).collect();
    group.log().append_many(redis, &jobs).await
}

/// Waits until a condition holds, for 10 seconds at most.
async fn until(mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never happened");
}
