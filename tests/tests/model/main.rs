//! Random operations on records with indexes, against a simple in-memory model.
//!
//! ```text
//! MODEL_OPERATIONS=1000000 cargo test -p redis-model-tests --test model random -- --nocapture
//! MODEL_MUTATIONS=all cargo test -p redis-model-tests --test model mutations -- --nocapture
//! ```
//!
//! `MODEL_SEED=7` makes the same calls again. Their order among each other, and what expires meanwhile, is up to the machine.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and reports"
)]

mod calls;
mod check;
mod eviction;
mod gate;
mod generate;
mod mutations;
mod op;
mod plan;
mod run;
mod schema;
mod state;
mod task;
mod wire;
mod world;

use redis_model_tests::random::{number, seed};
use redis_model_tests::{Stack, own_servers, own_stack_in_english};

use crate::run::Settings;

/// Runs the operations on each of these servers at once.
fn check(servers: &[(&str, Stack)], operations: u64) {
    let seed = seed("MODEL_SEED");
    let each = operations / servers.len() as u64 + 1;
    println!("{operations} operations");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let runs = servers.iter().enumerate().map(|(number, (_, stack))| {
        let through_gateway = number == 0;
        let settings =
            Settings { operations: each, seed: seed + number as u64, through_gateway, ..Settings::default() };
        run::run(stack, settings)
    });
    let reports = runtime.block_on(futures_util::future::join_all(runs));
    for ((name, _), report) in servers.iter().zip(&reports) {
        println!("{name}: {}", report.summary());
    }
    for ((name, _), report) in servers.iter().zip(&reports) {
        assert!(report.problems.is_empty(), "{name}, MODEL_SEED={seed}: {:#?}", report.problems);
    }
}

#[test]
fn random_operations_agree_with_the_model() {
    check(&own_servers(), number("MODEL_OPERATIONS").unwrap_or(100_000));
}

/// Lua's `<` would sort texts by the locale.
#[test]
fn a_server_with_a_locale_gives_the_same_answers() {
    match own_stack_in_english() {
        Some(stack) => check(&[("en_US.UTF-8", stack)], number("MODEL_OPERATIONS").unwrap_or(100_000) / 20),
        None => println!("SKIPPED: there is no localedef here, or no source of en_US"),
    }
}
