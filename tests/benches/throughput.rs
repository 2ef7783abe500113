//! Many small commands at once: our client with and without auto-pipelining, and the official SDKs, against the same
//! gateway and server. Each client is a process of its own; the gateway and the server share the machine with it.
//!
//! `cargo bench -p redis-model-tests --bench throughput`. It needs python3, node and npm.

#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "it is there to print, of four clients")]

use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use redis_model::prelude::*;
use redis_model::redis_rest::AutoPipelining;
use redis_model_tests::process::cpu_seconds;
use redis_model_tests::sdk::installed;
use redis_model_tests::{Stack, stack};
use serde_derive::Deserialize;

type Outcome<T> = Result<T, Box<dyn Error>>;

const TASKS: u64 = 64;
const ROUNDS: usize = 5;

/// What a client's process prints.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Measured {
    commands: f64,
    seconds: f64,
    cpu_seconds: f64,
}

impl Measured {
    fn per_second(self) -> f64 {
        self.commands / self.seconds
    }

    fn cpu(self) -> f64 {
        self.cpu_seconds / self.commands
    }
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    // Started by itself, below.
    if let [_, scenario, commands, url, token] = args.as_slice()
        && let Ok(commands) = commands.parse()
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(load(scenario, commands, url, token));
    }
    compare()
}

fn compare() -> Outcome<()> {
    let stack = stack();
    let [python, typescript] = installed()?;
    let sdk = |sdk: &redis_model_tests::sdk::Sdk, commands: u64| -> Outcome<Measured> {
        let args = [TASKS.to_string(), commands.to_string()];
        let printed = sdk.run("load", &stack.gateway.url(), stack.gateway.token(), &[&args[0], &args[1]])?;
        Ok(serde_json::from_str(&printed)?)
    };
    let mut rounds = Vec::new();
    // In turn, so that what else the machine does troubles all alike.
    for _ in 0..ROUNDS {
        rounds.push([
            ours(stack, "pipelined", 200_000)?,
            ours(stack, "plain", 20_000)?,
            sdk(&typescript, 50_000)?,
            sdk(&python, 1_500)?,
        ]);
    }
    let median = |of: &dyn Fn(&[Measured; 4]) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(ROUNDS / 2).copied().unwrap_or_default()
    };
    println!("{TASKS} tasks, each awaiting one INCR after another; the median of {ROUNDS} rounds:");
    let others =
        ["our client without auto-pipelining", "@upstash/redis with auto-pipelining", "upstash-redis, asyncio"];
    for (other, (name, bound)) in (1..).zip(others.into_iter().zip([5, 5, 50])) {
        let faster = median(&|round| round[0].per_second() / round[other].per_second());
        let cheaper = median(&|round| round[other].cpu() / round[0].cpu());
        println!(
            "auto-pipelining against {name}: {faster:.1} times the throughput (the bound is {bound}), 1/{cheaper:.1} of the CPU a command"
        );
    }
    for (at, name) in ["ours, auto-pipelining", "ours", "TypeScript", "Python"].into_iter().enumerate() {
        println!(
            "  {name}: {:.0}/s, {:.1} µs of CPU a command",
            median(&|round| round[at].per_second()),
            median(&|round| round[at].cpu() * 1e6)
        );
    }
    Ok(())
}

fn ours(stack: &Stack, scenario: &str, commands: u64) -> Outcome<Measured> {
    let output = Command::new(std::env::current_exe()?)
        .args([scenario, &commands.to_string(), &stack.gateway.url(), stack.gateway.token()])
        .output()?;
    let printed = String::from_utf8(output.stdout)?;
    serde_json::from_str(&printed)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

async fn load(scenario: &str, commands: u64, url: &str, token: &str) -> Outcome<()> {
    let builder = Redis::builder(url, token).telemetry(false);
    let builder = if scenario == "pipelined" { builder.auto_pipelining(AutoPipelining::new()) } else { builder };
    let redis = Arc::new(builder.build()?);
    run(&redis, 10 * TASKS).await?;
    let (cpu, start) = (cpu_seconds()?, Instant::now());
    run(&redis, commands).await?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    println!("{{\"commands\":{commands},\"seconds\":{seconds},\"cpu_seconds\":{cpu}}}");
    Ok(())
}

/// Shares the commands among the tasks.
async fn run(redis: &Arc<Redis>, commands: u64) -> Outcome<()> {
    let issued = Arc::new(AtomicU64::new(0));
    let tasks = (0..TASKS).map(|task| {
        let (redis, issued) = (Arc::clone(redis), Arc::clone(&issued));
        tokio::spawn(async move {
            let key = format!("load:{task}");
            while issued.fetch_add(1, Ordering::Relaxed) < commands {
                redis.incr(&key).await?;
            }
            Ok::<(), redis_model::Error>(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    Ok(())
}
