//! 1,000 records of 12 fields with 3 indexes inserted, loaded and queried: by this crate over HTTP through the gateway, by the
//! Python package redis-om, and by redis-rs with commands written by hand, both over TCP. All use one server, Redis 8.2 with
//! `RediSearch`. Each client is a process of its own; the gateway and the server share the machine with it.
//!
//! `cargo bench -p redis-model-tests --bench others`. It needs `CPython` 3.11 on Linux on x86-64.
//!
//! They do not do the same. redis-om writes a hash, and the server's module indexes it; it has no unique fields. By hand, no
//! entry is ever removed, and a unique value is not checked.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use redis_model::prelude::*;
use redis_model_tests::user::{User, country};
use redis_model_tests::{Stack, own_stack_with_search, sdk};
use serde_derive::Deserialize;

type Outcome<T> = Result<T, Box<dyn Error>>;

const RECORDS: usize = 1000;
/// How often a process does all parts, with other records each time.
const PASSES: usize = 3;
const ROUNDS: usize = 3;
const PAGE: usize = 20;
const PARTS: [&str; 4] = ["insert", "insert at once", "load", "query"];

/// What a client's process prints for each part.
#[derive(Debug, Deserialize)]
struct Measured {
    part: String,
    records: f64,
    seconds: f64,
    cpu_seconds: f64,
    server_seconds: f64,
}

/// Sums of all rounds, for one record.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    records: f64,
    seconds: f64,
    cpu: f64,
    server: f64,
}

type Sums = BTreeMap<String, Sum>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    // Started by itself, below.
    if let [_, url, token, records, passes] = args.as_slice() {
        let redis = Redis::builder(url, token).telemetry(false).build()?;
        return ours(&redis, records.parse()?, passes.parse()?).await;
    }
    compare()
}

fn compare() -> Outcome<()> {
    let redis_om = sdk::redis_om()?;
    let redis_rs = redis_rs()?;
    let stack = own_stack_with_search();
    let (records, passes) = (RECORDS.to_string(), PASSES.to_string());
    let mut sums = [Sums::new(), Sums::new(), Sums::new()];
    // In turn, so that what else the machine does troubles all alike.
    for _ in 0..ROUNDS {
        for (client, sums) in sums.iter_mut().enumerate() {
            empty(&stack)?;
            let url = stack.server.url();
            let printed = match client {
                0 => {
                    let (gateway, token) = (stack.gateway.url(), stack.gateway.token());
                    printed(Command::new(std::env::current_exe()?).args([&*gateway, token, &records, &passes]))?
                }
                1 => redis_om.run_with("records", &[("REDIS_OM_URL", url)], &[&records, &passes])?,
                _ => printed(Command::new(&redis_rs).args([url, &records, &passes]))?,
            };
            for line in printed.lines() {
                add(sums, serde_json::from_str(line)?);
            }
        }
    }
    let [ours, redis_om, redis_rs] = sums;
    println!("{RECORDS} records of 12 fields with 3 indexes, {} times; for one record:", PASSES * ROUNDS);
    for part in PARTS {
        let sum = |of: &Sums| of.get(part).copied().unwrap_or_default();
        report(part, sum(&ours), &[("redis-om", sum(&redis_om)), ("redis-rs by hand", sum(&redis_rs))]);
    }
    Ok(())
}

fn report(part: &str, ours: Sum, others: &[(&str, Sum)]) {
    let each = |figure: f64, sum: Sum| figure / sum.records * 1e6;
    let print = |name: &str, sum: Sum, ratios: &str| {
        println!(
            "  {name:<22}{:>7.0} us, {:>5.0} us of CPU here, {:>5.1} us of the server{ratios}",
            each(sum.seconds, sum),
            each(sum.cpu, sum),
            each(sum.server, sum)
        );
    };
    println!("{part}");
    print("this crate", ours, "");
    for (name, other) in others {
        let ratios = format!(
            "; this crate takes {:.2}, {:.2} and {:.2} of that",
            ours.seconds / other.seconds,
            ours.cpu / other.cpu,
            ours.server / other.server
        );
        print(name, *other, &ratios);
    }
}

fn add(sums: &mut Sums, measured: Measured) {
    let sum = sums.entry(measured.part).or_default();
    sum.records += measured.records;
    sum.seconds += measured.seconds;
    sum.cpu += measured.cpu_seconds;
    sum.server += measured.server_seconds;
}

/// Removes the search index too.
fn empty(stack: &Stack) -> Outcome<()> {
    Ok(stack.blocking().execute::<()>(["FLUSHALL", "SYNC"])?)
}

/// Builds the program that uses redis-rs.
fn redis_rs() -> Outcome<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("redis-rs/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redis-rs");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(&target);
    printed(&mut cargo)?;
    Ok(target.join("release/redis-rs-by-hand"))
}

fn printed(command: &mut Command) -> Outcome<String> {
    let Output { status, stdout, stderr } = command.output()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}: {}", String::from_utf8_lossy(&stderr)).into());
    }
    Ok(String::from_utf8(stdout)?)
}

async fn ours(redis: &Redis, records: usize, passes: usize) -> Outcome<()> {
    // What only the first call does.
    User::new(0).insert(redis).await?;
    for pass in 0..passes {
        let first = 1 + 2 * pass * records;
        let (ids, more) = (first..first + records, first + records..first + 2 * records);
        measure(redis, "insert", records, async {
            for id in ids.clone() {
                User::new(id).insert(redis).await?;
            }
            Ok(())
        })
        .await?;
        measure(redis, "insert at once", records, async {
            let mut batch = redis.batch();
            let slots: Vec<_> = more.map(|id| User::new(id).insert(&mut batch)).collect();
            let replies = batch.exec().await?;
            for slot in slots {
                replies.take(slot)?;
            }
            Ok(())
        })
        .await?;
        measure(redis, "load", records, async {
            for id in ids {
                assert_eq!(User::load(redis, id).await?.map(|user| user.visits), Some(17));
            }
            Ok(())
        })
        .await?;
        measure(redis, "query", records, async {
            for n in 0..records / PAGE {
                let found = User::query().eq(User::COUNTRY, country(n)).limit(PAGE).fetch(redis).await?.items;
                assert!(found.len() == PAGE && found.iter().all(|user| user.country == country(n)));
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

async fn measure(redis: &Redis, part: &str, records: usize, run: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    let (server, cpu, start) = (server_seconds(redis).await?, cpu_seconds()?, Instant::now());
    run.await?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let server = server_seconds(redis).await? - server;
    let figures = format!(r#""seconds":{seconds},"cpu_seconds":{cpu},"server_seconds":{server}"#);
    println!(r#"{{"part":"{part}","records":{records},{figures}}}"#);
    Ok(())
}

async fn server_seconds(redis: &Redis) -> Outcome<f64> {
    let info: String = redis.execute(["INFO", "cpu"]).await?;
    let figures = info.lines().filter_map(|line| line.split_once(':'));
    let used = figures.filter(|(name, _)| ["used_cpu_user", "used_cpu_sys"].contains(name));
    Ok(used.filter_map(|(_, seconds)| seconds.parse::<f64>().ok()).sum())
}

/// User and system time of this process, in ticks of which Linux has 100 a second.
fn cpu_seconds() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).ok_or("no ticks");
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
