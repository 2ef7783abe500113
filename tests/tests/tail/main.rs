//! Tails of logs on real servers: nothing is missing, nothing comes twice, and waiting is cheap.
//!
//! ```text
//! TAIL_APPENDS=50000 cargo test -p redis-model-tests --test tail seam -- --nocapture
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and reports"
)]

mod follow;
mod loss;
mod resume;
mod seam;
mod switch;
mod waiting;

use std::time::Duration;

use redis_model::commands::stream::StreamId;
use redis_model::prelude::*;
use redis_model::stream::{Polling, TailOptions};
use redis_model::{Entry, Log, Tail};
use redis_model_tests::{Stack, own_redis_7_0, own_stack, own_valkey};
use tokio::time::timeout;

/// An event that each append announces.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "ticks", publish)]
struct Tick {
    number: u64,
}

/// An event that no append announces.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "quiet")]
struct Quiet {
    number: u64,
}

const SOON: Duration = Duration::from_secs(20);

fn servers() -> Vec<(&'static str, Stack)> {
    let servers =
        [("Redis 8.2", Some(own_stack())), ("Valkey 9.1", Some(own_valkey())), ("Redis 7.0", own_redis_7_0())];
    servers.into_iter().filter_map(|(name, stack)| Some((name, stack?))).collect()
}

/// Polls often, so that a test without wake-ups is quick.
fn eager() -> TailOptions {
    let polling = Polling::default().min(Duration::from_millis(10)).max(Duration::from_millis(50));
    TailOptions::new().polling(polling.safety(Duration::from_millis(500)))
}

async fn item<M: StreamModel + Send + 'static>(tail: &mut Tail<M>) -> Result<Entry<Result<M>>> {
    timeout(SOON, tail.next()).await.unwrap().unwrap()
}

/// Returns the numbers of the next ticks.
async fn numbers(tail: &mut Tail<Tick>, count: usize) -> Result<Vec<u64>> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(item(tail).await?.event?.number);
    }
    Ok(numbers)
}

async fn append(redis: &Redis, log: &Log<Tick>, numbers: impl IntoIterator<Item = u64>) -> Result<Vec<StreamId>> {
    let ticks: Vec<_> = numbers.into_iter().map(|number| Tick { number }).collect();
    log.append_many(redis, &ticks).await
}
