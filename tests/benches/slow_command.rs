//! What a slow command does to its neighbours: how long GETs and INCRs take that are awaited together with a KEYS over many
//! keys, without auto-pipelining, with it, with reads apart, and with a client of its own for the slow command.
//!
//! `cargo bench -p redis-model-tests --bench slow_command`

#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "it is there to print, of samples that are there")]

use std::error::Error;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use redis_model::prelude::*;
use redis_model::redis_rest::AutoPipelining;
use redis_model_tests::stack;

const KEYS: usize = 300_000;
const ROUNDS: usize = 40;
const NEIGHBOURS: usize = 10;

/// The medians over all rounds.
struct Measured {
    keys: Duration,
    get: Duration,
    incr: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let stack = stack();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let plain = stack.redis();
        for chunk in (0..KEYS).collect::<Vec<_>>().chunks(10_000) {
            plain.mset(chunk.iter().map(|n| (format!("slow:{n}"), n))).await?;
        }
        let pipelined = |settings| stack.builder().auto_pipelining(settings).build();
        let together = pipelined(AutoPipelining::new())?;
        let apart = pipelined(AutoPipelining::new().separate_reads(true))?;
        let alone = measure(&plain, None).await?;
        println!("medians, as multiples of those without a slow command and without auto-pipelining");
        println!("{:<44}{:>8}{:>8}{:>8}", "", "KEYS", "GET", "INCR");
        for (name, redis, slow) in [
            ("no auto-pipelining", &plain, &plain),
            ("auto-pipelining", &together, &together),
            ("auto-pipelining, separate_reads", &apart, &apart),
            ("auto-pipelining, KEYS by a client of its own", &together, &plain),
        ] {
            let measured = measure(redis, Some(slow)).await?;
            let ratio = |one: Duration, of: Duration| one.as_secs_f64() / of.as_secs_f64();
            println!(
                "{name:<44}{:>8.1}{:>8.1}{:>8.1}",
                ratio(measured.keys, alone.get),
                ratio(measured.get, alone.get),
                ratio(measured.incr, alone.incr)
            );
        }
        Ok(())
    })
}

/// Awaits GETs and INCRs one after another in several tasks, each round together with one slow command.
async fn measure(redis: &Redis, slow: Option<&Redis>) -> Result<Measured> {
    let (mut keys, mut gets, mut incrs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let neighbours = join_all((0..NEIGHBOURS).map(async |n| {
            let (start, key) = (Instant::now(), format!("neighbour:{n}"));
            redis.get::<i64>(&key).await?;
            let got = Instant::now();
            redis.incr(&key).await?;
            Result::Ok((got - start, got.elapsed()))
        }));
        let slow = async {
            let start = Instant::now();
            if let Some(slow) = slow {
                slow.keys::<String>("nothing*").await?;
            }
            Result::Ok(start.elapsed())
        };
        let (took, neighbours) = join(slow, neighbours).await;
        keys.push(took?);
        for neighbour in neighbours {
            let (get, incr) = neighbour?;
            gets.push(get);
            incrs.push(incr);
        }
    }
    let median = |samples: &mut Vec<Duration>| {
        samples.sort_unstable();
        samples[samples.len() / 2]
    };
    Ok(Measured { keys: median(&mut keys), get: median(&mut gets), incr: median(&mut incrs) })
}
