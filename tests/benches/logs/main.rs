//! What event logs, workers and queues take: this crate over HTTP through the gateway against redis-rs with commands written by
//! hand over TCP, and ways of this crate against each other. All use one server, Redis 8.2. Each client is a process of its
//! own; the gateway and the server share the machine with it.
//!
//! `cargo bench -p redis-model-tests --bench logs`, or a part of it: `-- appends`, `-- reading`, `-- workers`, `-- wake`,
//! `-- queue`. It needs Linux.

#![expect(clippy::print_stdout, reason = "it is there to print")]

mod appends;
mod measure;
mod queue;
mod reading;
mod wake;
mod workers;

use std::error::Error;

use redis_model::prelude::*;
use redis_model_tests::{Stack, own_stack};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 3;

/// An event of an order: what most logs hold.
#[derive(Debug, Clone, RedisModel)]
#[redis(stream, prefix = "bench-orders")]
struct Placed {
    order: u64,
    sku: String,
    cents: i64,
}

/// The same, and each append publishes.
#[derive(Debug, Clone, RedisModel)]
#[redis(stream, prefix = "bench-orders-heard", publish)]
struct Heard {
    order: u64,
    sku: String,
    cents: i64,
}

/// The same, with versions.
#[derive(Debug, Clone, RedisModel)]
#[redis(stream, versioned, prefix = "bench-orders-decided")]
struct Decided {
    order: u64,
    sku: String,
    cents: i64,
}

fn placed(order: u64) -> Placed {
    Placed { order, sku: "A-1000-BLUE".into(), cents: 1990 }
}

fn heard(order: u64) -> Heard {
    let Placed { order, sku, cents } = placed(order);
    Heard { order, sku, cents }
}

fn decided(order: u64) -> Decided {
    let Placed { order, sku, cents } = placed(order);
    Decided { order, sku, cents }
}

/// Appends events from 0 on, as quickly as possible.
async fn fill(redis: &Redis, log: &redis_model::Log<Placed>, count: u64) -> Outcome<()> {
    for first in (0..count).step_by(1000) {
        let events: Vec<_> = (first..count.min(first + 1000)).map(placed).collect();
        log.append_many(redis, &events).await?;
    }
    Ok(())
}

/// Measures one thing, and prints it.
type Part = fn(&Stack) -> Outcome<()>;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    // Started by itself.
    if let ["client", scenario, url, token, rest @ ..] = args.as_slice() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(async {
            let builder = Redis::builder(*url, *token).telemetry(false);
            match *scenario {
                "appends" => appends::client(builder, rest).await,
                "reading" => reading::client(builder, rest).await,
                "workers" => workers::client(builder, rest).await,
                "wake" => wake::client(builder, rest).await,
                "queue" => queue::client(builder).await,
                other => Err(format!("no client {other}").into()),
            }
        });
    }
    let parts: [(&str, Part); 5] = [
        ("appends", appends::compare),
        ("reading", reading::compare),
        ("workers", workers::compare),
        ("wake", wake::compare),
        ("queue", queue::compare),
    ];
    for (name, compare) in parts {
        if args.iter().all(|arg| *arg == name) {
            compare(&own_stack())?;
        }
    }
    Ok(())
}

/// Removes all keys between two clients.
fn empty(stack: &Stack) -> Outcome<()> {
    Ok(stack.blocking().execute::<()>(["FLUSHALL", "SYNC"])?)
}
