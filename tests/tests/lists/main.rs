//! Typed lists and work queues on real servers.
//!
//! ```text
//! QUEUE_OPERATIONS=100000 QUEUE_SEED=7 cargo test -p redis-model-tests --test lists random -- --nocapture
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and reports"
)]
#![expect(clippy::needless_pass_by_value, reason = "a command is made to be given away")]

mod elements;
mod full;
mod gate;
mod killed;
mod late;
mod limits;
mod model;
mod mutations;
mod queue;
mod worker;
mod workers;

use redis_model_tests::random::{self, number};
use redis_model_tests::{Stack, own_redis_7_0, own_stack, own_valkey};

/// All servers.
fn servers() -> Vec<(&'static str, Stack)> {
    let older = own_redis_7_0().map(|stack| ("Redis 7.0", stack));
    [("Redis 8.2", own_stack()), ("Valkey 9.1", own_valkey())].into_iter().chain(older).collect()
}
