//! Workers that handle a backlog: a `Worker`, against threads with redis-rs that block in XREADGROUP, and acknowledge what they
//! have read at once. Such threads have no timeout, no retries, no dead letters, no heartbeat and no fence.

use std::cell::Cell;
use std::process::Command;
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::redis_rest::RedisBuilder;
use redis_model_tests::Stack;
use redis_model_tests::process::printed;
use tokio::time::sleep;

use crate::measure::{Measured, Rounds, client as process, measure, redis_rs};
use crate::{Outcome, Placed, ROUNDS, empty, fill};

/// How many entries, the batch, the concurrency, and how long a handler takes in ms.
const SCENARIOS: [(u64, u64, u64, u64); 8] = [
    (2000, 10, 1, 0),
    (8000, 10, 8, 0),
    (8000, 100, 8, 0),
    (20_000, 100, 64, 0),
    (20_000, 500, 500, 0),
    (2000, 100, 8, 5),
    (10_000, 100, 64, 5),
    (10_000, 500, 64, 5),
];

pub(crate) fn compare(stack: &Stack) -> Outcome<()> {
    let by_hand = redis_rs()?;
    let mut rounds = Rounds::default();
    let args_of = |(count, batch, concurrency, millis): (u64, u64, u64, u64)| {
        [count, batch, concurrency, millis].map(|number| number.to_string())
    };
    for _ in 0..ROUNDS {
        for scenario in SCENARIOS {
            let args = args_of(scenario);
            let [count, batch, concurrency, millis] = args.each_ref().map(String::as_str);
            empty(stack)?;
            rounds.add(&printed(&mut process(stack, "workers", &[count, batch, concurrency, millis])?)?)?;
            empty(stack)?;
            let args = ["work", stack.server.url(), count, batch, concurrency, millis];
            rounds.add(&printed(Command::new(&by_hand).args(args))?)?;
        }
    }
    println!(
        "a worker of a backlog, against threads with redis-rs that block in XREADGROUP; medians of {ROUNDS} rounds:"
    );
    for scenario in SCENARIOS {
        let (_, batch, concurrency, millis) = scenario;
        let (ours, theirs) = (part("ours", scenario), part("by hand", scenario));
        println!(
            "  batch {batch}, concurrency {concurrency}, handlers of {millis} ms: {:.0}/s against {:.0}/s, {:.2} of the throughput; {:.1} against {:.1} us of CPU here; {:.1} against {:.1} us of the server ({:.2}); {:.3} requests an entry",
            rounds.median(&ours, Measured::per_second),
            rounds.median(&theirs, Measured::per_second),
            rounds.ratio(&ours, &theirs, Measured::per_second),
            rounds.median(&ours, Measured::cpu),
            rounds.median(&theirs, Measured::cpu),
            rounds.median(&ours, Measured::server),
            rounds.median(&theirs, Measured::server),
            rounds.ratio(&ours, &theirs, Measured::server),
            rounds.median(&ours, |one| one.requests / one.count),
        );
    }
    Ok(())
}

fn part(whose: &str, (count, batch, concurrency, millis): (u64, u64, u64, u64)) -> String {
    format!("{whose} {count} {batch} {concurrency} {millis}")
}

pub(crate) async fn client(builder: RedisBuilder, args: &[&str]) -> Outcome<()> {
    let numbers = args.iter().map(|arg| arg.parse()).collect::<Result<Vec<u64>, _>>()?;
    let [count, batch, concurrency, millis] = numbers.as_slice() else { return Err("four numbers".into()) };
    let redis = builder.build()?;
    let log = Placed::log("work");
    fill(&redis, &log, *count).await?;
    let worker =
        Worker::new(log.group("billing"), "worker-1").batch(*batch).concurrency(usize::try_from(*concurrency)?);
    let counters = worker.counters();
    let takes = Duration::from_millis(*millis);
    let part = part("ours", (*count, *batch, *concurrency, *millis));
    measure(&redis, &part, *count, async {
        let sum = Cell::new(0);
        let all_are_handled = async {
            while counters.read().handled < *count {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let handler = async |delivered: redis_model::stream::Delivered<Placed>| {
            if !takes.is_zero() {
                sleep(takes).await;
            }
            sum.set(sum.get() + delivered.event.order);
            Ok::<_, String>(())
        };
        worker.run_until(&redis, all_are_handled, handler).await?;
        assert_eq!(sum.get(), count * (count - 1) / 2);
        Ok(counters.read().requests)
    })
    .await
}
