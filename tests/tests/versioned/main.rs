//! Versioned logs, folds, snapshots and projections, on all servers.
//!
//! ```text
//! VERSIONED_SEED=7 VERSIONED_ROUNDS=200 cargo test -p redis-model-tests --test versioned -- --nocapture
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and reports"
)]

mod append;
mod category;
mod decisions;
mod fold;
mod limits;
mod lossy;
mod projections;
mod race;
mod snapshots;

use std::sync::OnceLock;

use redis_model::{Aggregate, RedisModel};
use redis_model_tests::random::{self, number};
use redis_model_tests::{Stack, own_redis_7_0, own_stack, own_valkey};
use serde_derive::{Deserialize, Serialize};

/// What happens to an account.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, versioned, prefix = "account-events")]
enum Event {
    Opened {
        owner: String,
    },
    Paid {
        cents: i64,
        #[redis(default)]
        note: Option<String>,
    },
    Closed,
}

/// The events of a program that does not know that these logs have versions.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "account-events")]
struct Plain {
    cents: i64,
}

/// The same as `Event`, with a category.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "order-events", category, publish)]
enum OrderEvent {
    Placed { sku: String, quantity: u32 },
    Paid { cents: i64 },
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Account {
    owner: String,
    cents: i64,
    is_closed: bool,
    events: u64,
}

impl Aggregate for Account {
    type Event = Event;

    fn apply(mut self, event: Event) -> Self {
        self.events += 1;
        match event {
            Event::Opened { owner } => self.owner = owner,
            Event::Paid { cents, .. } => self.cents += cents,
            Event::Closed => self.is_closed = true,
        }
        self
    }
}

fn paid(cents: i64) -> Event {
    Event::Paid { cents, note: None }
}

fn seed() -> u64 {
    random::seed("VERSIONED_SEED")
}

/// Redis 8.2, Valkey 9.1, and Redis 7.0 if it is installed.
fn servers() -> &'static [(&'static str, Stack)] {
    static SERVERS: OnceLock<Vec<(&str, Stack)>> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let mut servers = vec![("Redis 8.2", own_stack()), ("Valkey 9", own_valkey())];
        match own_redis_7_0() {
            Some(stack) => servers.push(("Redis 7.0", stack)),
            None => println!("SKIPPED: Redis 7.0 is not installed"),
        }
        servers
    })
}
