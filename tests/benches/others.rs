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
use std::process::Command;

use redis_model::prelude::*;
use redis_model_tests::process::{measured, printed, redis_rs};
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
    count: f64,
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
    let redis_rs = redis_rs("redis-rs-by-hand", env!("CARGO_TARGET_TMPDIR"))?;
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
    sum.records += measured.count;
    sum.seconds += measured.seconds;
    sum.cpu += measured.cpu_seconds;
    sum.server += measured.server_seconds;
}

/// Removes the search index too.
fn empty(stack: &Stack) -> Outcome<()> {
    Ok(stack.blocking().execute::<()>(["FLUSHALL", "SYNC"])?)
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
    let ((), figures) = measured(redis, run).await?;
    println!(r#"{{"part":"{part}","count":{records},{figures}}}"#);
    Ok(())
}
