//! What records with indexes cost the server: CPU time of writes and queries, and memory.
//!
//! `cargo bench -p redis-model-tests --bench records`, or a part of it: `-- writes`, `-- queries`, `-- memory`. A number limits
//! the records of the queries: `-- queries 100000`. Everything is counted by the server, so that neither the client's build
//! nor the network matters: `--profile dev` saves time.

#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "it is there to print, of samples that are there")]

mod commands;
mod memory;
mod queries;
mod server;
mod writes;

use std::error::Error;

use redis_model_tests::{own_redis_7_0, own_stack, own_valkey};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let is_wanted = |part: &str| args.iter().all(|arg| arg == part || arg.parse::<u64>().is_ok());
    if is_wanted("writes") {
        writes::measure("Redis 8.2", &own_stack())?;
        writes::measure("Valkey 9.1", &own_valkey())?;
        if let Some(stack) = own_redis_7_0() {
            writes::measure("Redis 7.0", &stack)?;
        }
    }
    if is_wanted("memory") {
        memory::measure(&own_stack())?;
    }
    if is_wanted("queries") {
        let largest = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(u64::MAX);
        tokio::runtime::Runtime::new()?.block_on(queries::measure(largest))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}
