//! Typed reads of 100,000 entries of three fields.

use std::process::Command;

use redis_model::prelude::*;
use redis_model::redis_rest::{Encoding, RedisBuilder};
use redis_model_tests::Stack;
use redis_model_tests::process::printed;

use crate::measure::{Measured, Rounds, client as process, measure, redis_rs};
use crate::{Outcome, Placed, ROUNDS, fill};

const ENTRIES: u64 = 100_000;
/// How often a process reads all: CPU time is counted in hundredths of a second.
const PASSES: u64 = 5;
const ENCODINGS: [&str; 3] = ["resp2", "json", "base64"];
const WAYS: [&str; 2] = ["pages of 500", "at once"];
const BY_HAND: &str = "XRANGE by hand, TCP, pages of 500";

pub(crate) fn compare(stack: &Stack) -> Outcome<()> {
    let by_hand = redis_rs()?;
    let log = Placed::log("read");
    tokio::runtime::Runtime::new()?.block_on(fill(&stack.redis(), &log, ENTRIES))?;
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        for encoding in ENCODINGS {
            for way in WAYS.into_iter().chain(["none"]) {
                rounds.add(&printed(&mut process(stack, "reading", &[encoding, way])?)?)?;
            }
        }
        rounds.add(&printed(Command::new(&by_hand).args(["read", stack.server.url(), BY_HAND, log.key()]))?)?;
    }
    println!("{ENTRIES} entries of three fields, typed; medians of {ROUNDS} rounds:");
    println!(
        "  {BY_HAND}: {:.0} entries/s, {:.2} us of CPU here each",
        rounds.median(BY_HAND, Measured::per_second),
        rounds.median(BY_HAND, Measured::cpu)
    );
    for way in WAYS {
        let page = if way == "at once" { ENTRIES } else { 500 };
        for encoding in ENCODINGS {
            let part = format!("{way} {encoding}");
            let resp2 = format!("{way} resp2");
            #[expect(clippy::cast_precision_loss, reason = "a number of entries")]
            let more =
                (rounds.median(&part, |one| one.peak) - rounds.median("none resp2", |one| one.peak)) / page as f64;
            println!(
                "  {way}, {encoding:<7}{:>8.0} entries/s, {:.2} us of CPU here each, {:.1} MB at most, {more:.0} bytes for each entry of a page more than with none; {:.2} of the CPU of resp2, {:.2} of the throughput by hand",
                rounds.median(&part, Measured::per_second),
                rounds.median(&part, Measured::cpu),
                rounds.median(&part, |one| one.peak / 1e6),
                rounds.ratio(&part, &resp2, Measured::cpu),
                rounds.ratio(&part, BY_HAND, Measured::per_second),
            );
        }
    }
    Ok(())
}

pub(crate) async fn client(builder: RedisBuilder, args: &[&str]) -> Outcome<()> {
    let [encoding, way] = args else { return Err("ENCODING WAY".into()) };
    let redis = builder
        .encoding(match *encoding {
            "resp2" => Encoding::Resp2,
            "json" => Encoding::Json,
            _ => Encoding::Base64,
        })
        .build()?;
    let log = Placed::log("read");
    assert_eq!(log.range(&redis, .., 1).await?.len(), 1);
    measure(&redis, &format!("{way} {encoding}"), PASSES * ENTRIES, async {
        for _ in 0..PASSES {
            let mut sum = 0;
            match *way {
                "none" => return Ok(0),
                "at once" => {
                    for entry in log.range(&redis, .., ENTRIES).await? {
                        sum += entry.event?.order;
                    }
                }
                _ => {
                    let mut entries = log.entries(&redis, ..);
                    while let Some(entry) = entries.next().await {
                        sum += entry?.event?.order;
                    }
                }
            }
            assert_eq!(sum, ENTRIES * (ENTRIES - 1) / 2);
        }
        Ok(0)
    })
    .await
}
