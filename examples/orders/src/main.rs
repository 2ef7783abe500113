//! An order system on event logs.
//!
//! | file | what it has |
//! | --- | --- |
//! | `events.rs` | what can happen to an order |
//! | `order.rs` | the state of an order, its snapshots, and the commands that decide: place, pay, ship, cancel |
//! | `view.rs` | a projection: the table of all orders, with indexes |
//! | `billing.rs` | a worker that charges payments exactly once; dead letters, and the way back |
//! | `customers.rs` | who orders |
//! | `live.rs`, `screen.rs` | all of it at work, in the terminal |
//! | `script.rs` | the same without a terminal: a fixed number of orders, and checks that all numbers agree |
//!
//! `cargo run -p orders` shows the live view; `cargo run -p orders | cat` runs the script. If `UPSTASH_REDIS_REST_URL` and
//! `UPSTASH_REDIS_REST_TOKEN` are set, it uses that database. Otherwise it starts a local server.

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

mod billing;
mod customers;
mod database;
mod events;
mod live;
mod order;
mod screen;
mod script;
mod view;

use std::error::Error;
use std::io::{IsTerminal as _, stdin, stdout};

type Failure = Box<dyn Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let database = database::open().await?;
    let is_terminal = stdin().is_terminal() && stdout().is_terminal();
    if is_terminal { live::run(&database.redis).await } else { script::run(&database.redis).await }
}
