//! Workers under workerd, Cloudflare's runtime, with a real server and the gateway behind them.
//!
//! | command | purpose |
//! | --- | --- |
//! | `cargo edge test [NAME]` | builds the test Worker, and runs the checks whose names contain `NAME` |
//! | `cargo edge run [FOLDER]` | builds a Worker, by default `examples/worker`, and serves it until Ctrl-C |
//! | `cargo edge wasi [FOLDER]` | builds a WASI component, by default `examples/wasi`, and runs it in Node |
//! | `cargo edge bench [sizes\|times\|parts]` | measures sizes, cold starts and requests beside the same Worker in JavaScript |

mod bench;
mod bundle;
mod fault;
mod http;
mod run;
mod stack;
mod suite;
mod wasi;
mod workerd;

use std::process::ExitCode;

use redis_model_tools::Outcome;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match command(&args).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all is well.
async fn command(args: &[&str]) -> Outcome<bool> {
    match args {
        ["test"] => suite::run("").await,
        ["test", filter] => suite::run(filter).await,
        ["run"] => run::run("examples/worker").await,
        ["run", folder] => run::run(folder).await,
        ["wasi"] => wasi::run("examples/wasi").await,
        ["wasi", folder] => wasi::run(folder).await,
        ["bench"] => bench::run("").await,
        ["bench", part @ ("sizes" | "times" | "parts")] => bench::run(part).await,
        _ => Err("usage: cargo edge test [NAME] | run [FOLDER] | wasi [FOLDER] | bench [sizes|times|parts]".into()),
    }
}
