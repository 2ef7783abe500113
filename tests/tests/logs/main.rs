//! Event logs: appends, retention, reading and upkeep, on real servers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod append;
mod evolve;
mod foreign;
mod publish;
mod read;
mod retain;
mod unit;

use std::sync::OnceLock;

use redis_model_tests::{Stack, own_redis_7_0, stack, valkey};

/// Redis 8.2, Valkey 9.1, and Redis 7.0 if it is installed.
fn servers() -> Vec<&'static Stack> {
    static OLD: OnceLock<Option<Stack>> = OnceLock::new();
    let mut servers = vec![stack(), valkey()];
    servers.extend(OLD.get_or_init(own_redis_7_0).as_ref());
    servers
}
