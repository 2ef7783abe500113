//! Appends of an event of three fields.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis_model::prelude::*;
use redis_model::redis_rest::{AutoPipelining, RedisBuilder};
use redis_model::stream::{AppendOptions, Expected};
use redis_model_tests::Stack;
use redis_model_tests::process::printed;

use crate::measure::{Measured, Rounds, client as process, measure, redis_rs};
use crate::{Decided, Heard, Outcome, Placed, ROUNDS, decided, empty, heard, placed};

/// How many commands a request has.
const PIPELINE: u64 = 500;
const TASKS: u64 = 64;

/// What is compared, with how often, and with what.
const SCENARIOS: [(&str, u64, &str); 12] = [
    ("XADD by hand, TCP", 3000, ""),
    ("XADD by hand, TCP, pipelined", 30_000, ""),
    ("single", 3000, "XADD by hand, TCP"),
    ("pipelined", 30_000, "XADD by hand, TCP, pipelined"),
    ("append_many of 500", 30_000, "pipelined"),
    ("auto-pipelined, 64 tasks", 30_000, "single"),
    ("with publish, single", 3000, "single"),
    ("with publish, pipelined", 20_000, "pipelined"),
    ("with a once-key, single", 3000, "single"),
    ("with a once-key, pipelined", 20_000, "pipelined"),
    ("versioned Exact, single", 3000, "single"),
    ("versioned Exact, pipelined", 20_000, "pipelined"),
];

pub(crate) fn compare(stack: &Stack) -> Outcome<()> {
    let by_hand = redis_rs()?;
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        for (scenario, count, _) in SCENARIOS {
            empty(stack)?;
            let count = count.to_string();
            rounds.add(&printed(&mut match scenario {
                "XADD by hand, TCP" | "XADD by hand, TCP, pipelined" => {
                    let mut command = Command::new(&by_hand);
                    command.args(["append", stack.server.url(), scenario, &count]);
                    command
                }
                _ => process(stack, "appends", &[scenario, &count])?,
            })?)?;
        }
    }
    println!("appends of an event of three fields; medians of {ROUNDS} rounds; pipelines of {PIPELINE}:");
    for (scenario, _, to) in SCENARIOS {
        print!(
            "  {scenario:<30}{:>8.0}/s, {:>5.1} us of CPU here, {:>5.1} us of the server",
            rounds.median(scenario, Measured::per_second),
            rounds.median(scenario, Measured::cpu),
            rounds.median(scenario, Measured::server),
        );
        if !to.is_empty() {
            print!(
                "; {:.2} of the throughput, {:.2} of the server of: {to}",
                rounds.ratio(scenario, to, Measured::per_second),
                rounds.ratio(scenario, to, Measured::server),
            );
        }
        println!();
    }
    Ok(())
}

pub(crate) async fn client(builder: RedisBuilder, args: &[&str]) -> Outcome<()> {
    let [scenario, count] = args else { return Err("SCENARIO COUNT".into()) };
    let count: u64 = count.parse()?;
    let is_auto = scenario.starts_with("auto");
    let builder = if is_auto { builder.auto_pipelining(AutoPipelining::new()) } else { builder };
    let redis = Arc::new(builder.build()?);
    // What only the first calls do.
    run(&redis, scenario, "before", PIPELINE).await?;
    measure(&redis, scenario, count, run(&redis, scenario, "log", count)).await
}

async fn run(redis: &Arc<Redis>, scenario: &str, key: &str, count: u64) -> Outcome<u64> {
    let (log, loud) = (Placed::log(key), Heard::log(key));
    let versioned = Decided::log(key).versioned();
    let once = |n: u64| AppendOptions::new().once(format!("payment-{n}"));
    match scenario {
        "single" => {
            for n in 0..count {
                log.append(&**redis, &placed(n)).await?;
            }
        }
        "with publish, single" => {
            for n in 0..count {
                loud.append(&**redis, &heard(n)).await?;
            }
        }
        "with a once-key, single" => {
            for n in 0..count {
                log.append_with(&**redis, [&placed(n)], &once(n)).await?;
            }
        }
        "versioned Exact, single" => {
            for n in 0..count {
                versioned.append(&**redis, Expected::Exact(n), [&decided(n)]).await?;
            }
        }
        "append_many of 500" => {
            for first in (0..count).step_by(500) {
                let events: Vec<_> = (first..first + PIPELINE).map(placed).collect();
                log.append_many(&**redis, &events).await?;
            }
        }
        "auto-pipelined, 64 tasks" => {
            let issued = Arc::new(AtomicU64::new(0));
            let tasks = (0..TASKS).map(|_| {
                let (redis, issued, log) = (Arc::clone(redis), Arc::clone(&issued), log.clone());
                tokio::spawn(async move {
                    loop {
                        let n = issued.fetch_add(1, Ordering::Relaxed);
                        if n >= count {
                            return Ok::<(), redis_model::Error>(());
                        }
                        log.append(&*redis, &placed(n)).await?;
                    }
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await??;
            }
        }
        _ => {
            for first in (0..count).step_by(500) {
                let mut batch = redis.batch();
                for n in first..first + PIPELINE {
                    match scenario {
                        "pipelined" => {
                            let _ = log.append(&mut batch, &placed(n));
                        }
                        "with publish, pipelined" => {
                            let _ = loud.append(&mut batch, &heard(n));
                        }
                        "with a once-key, pipelined" => {
                            let _ = log.append_with(&mut batch, [&placed(n)], &once(n));
                        }
                        "versioned Exact, pipelined" => {
                            let _ = versioned.append(&mut batch, Expected::Exact(n), [&decided(n)]);
                        }
                        other => return Err(format!("no scenario {other}").into()),
                    }
                }
                batch.exec().await?;
            }
            let lengths = [log.len(&**redis).await?, loud.len(&**redis).await?, versioned.version(&**redis).await?];
            assert_eq!(lengths.into_iter().max(), Some(count), "{scenario}");
        }
    }
    Ok(0)
}
