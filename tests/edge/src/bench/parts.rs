//! What the parts of a request by `fetch` cost, in JavaScript: each alone, above the plainest request.

use std::time::Instant;

use redis_model_tools::Outcome;

use super::times::{javascript, median};
use crate::http::Connection;
use crate::stack::Stack;
use crate::workerd::{Worker, Workerd};

const PARTS: [&str; 10] = [
    "plain",
    "redirect-manual",
    "body-of-bytes",
    "headers-object",
    "nine-headers",
    "abort-controller",
    "timer",
    "response-headers",
    "array-buffer",
    "stream-reader",
];

const ROUNDS: usize = 3_000;

pub async fn run() -> Outcome<()> {
    let stack = Stack::start().await?;
    Connection::open_url(&stack.gateway.url())
        .await?
        .command(stack.gateway.token(), r#"["SET","bench","hello"]"#)
        .await?;
    let bundle = javascript("parts-js")?.with("parts.mjs", include_str!("../../parts.mjs"))?;
    let workerd = Workerd::start(&bundle, &[Worker { main: "parts.mjs", ..stack.worker("main") }])?;
    let mut connection = Connection::open(workerd.port("main")?).await?;
    let mut times = vec![Vec::new(); PARTS.len()];
    for round in 0..ROUNDS + 200 {
        for (part, times) in PARTS.iter().zip(&mut times) {
            let started = Instant::now();
            let answer = connection.get(&format!("/{part}")).await?;
            if answer.text() != "hello" {
                return Err(format!("{part}: {}: {}", answer.status, answer.text()).into());
            }
            // The first rounds compile.
            if round >= 200 {
                times.push(started.elapsed());
            }
        }
    }
    println!("\nparts of a GET by `fetch` in JavaScript, {ROUNDS} of each in turn, medians in milliseconds\n");
    println!("| part | median | above the plainest |\n| --- | --- | --- |");
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
    for (part, time) in PARTS.iter().zip(&medians) {
        println!("| {part} | {time:.3} | {:.3} |", time - medians.first().unwrap_or(&0.0));
    }
    Ok(())
}
