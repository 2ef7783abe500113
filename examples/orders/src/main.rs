//! An order system on event logs.
//!
//! | file | what it has |
//! | --- | --- |
//! | `events.rs` | what can happen to an order, and a tail that shows it |
//! | `order.rs` | the state of an order, its snapshots, and the commands that decide: place, pay, ship, cancel |
//! | `view.rs` | a projection: the table of all orders, with indexes |
//! | `billing.rs` | a worker that charges payments exactly once; dead letters, and the way back |
//! | `customers.rs` | the customers, who place orders |
//! | `live.rs`, `screen.rs` | all of it at work, in the terminal |
//! | `script.rs` | the same without a terminal: a fixed number of orders, and checks that all numbers agree |
//!
//! `cargo run -p orders` shows the live view; `cargo run -p orders | cat` runs the script. If `UPSTASH_REDIS_REST_URL` and
//! `UPSTASH_REDIS_REST_TOKEN` are set, it uses that database. Otherwise it starts a local server.

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

mod billing;
mod customers;
mod events;
mod live;
mod order;
mod screen;
mod script;
mod view;

use std::error::Error;
use std::io::{IsTerminal as _, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

type Failure = Box<dyn Error>;

/// How long the script may take. It takes about a second.
const LIMIT: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orders: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let database = database::open("orders-demo-").await?;
    let is_terminal = stdin().is_terminal() && stdout().is_terminal();
    if is_terminal {
        return live::run(&database.redis).await;
    }
    tokio::time::timeout(LIMIT, script::run(&database.redis)).await?
}
