//! What a work queue costs, against a plain list: RPUSH, LMOVE to a list of what is under way, and LREM from it.

use redis_model::prelude::*;
use redis_model::redis_rest::RedisBuilder;
use redis_model_tests::Stack;
use redis_model_tests::process::printed;

use crate::measure::{Measured, Rounds, client as process, measure};
use crate::{Outcome, ROUNDS, empty};

#[derive(Debug, RedisModel)]
#[redis(list, prefix = "bench-job")]
struct Job {
    number: u64,
    path: String,
}

fn job(number: u64) -> Job {
    Job { number, path: "/images/2026/11/21/0001.png".into() }
}

const SINGLE: u64 = 2000;
const MANY: u64 = 20_000;
const AT_ONCE: u64 = 100;

const PARTS: [(&str, &str); 9] = [
    ("RPUSH", ""),
    ("LMOVE", ""),
    ("LREM", ""),
    ("push", "RPUSH"),
    ("reserve", "LMOVE"),
    ("ack", "LREM"),
    ("push_many of 100", "push"),
    ("reserve_many of 100", "reserve"),
    ("ack, 100 pipelined", "ack"),
];

pub(crate) fn compare(stack: &Stack) -> Outcome<()> {
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        empty(stack)?;
        rounds.add(&printed(&mut process(stack, "queue", &[])?)?)?;
    }
    println!("jobs of a queue, against a plain list; medians of {ROUNDS} rounds:");
    for (part, to) in PARTS {
        print!(
            "  {part:<22}{:>8.0}/s, {:>5.1} us of CPU here, {:>5.1} us of the server",
            rounds.median(part, Measured::per_second),
            rounds.median(part, Measured::cpu),
            rounds.median(part, Measured::server),
        );
        if !to.is_empty() {
            print!(
                "; {:.2} of the throughput, {:.2} of the server of: {to}",
                rounds.ratio(part, to, Measured::per_second),
                rounds.ratio(part, to, Measured::server),
            );
        }
        println!();
    }
    Ok(())
}

pub(crate) async fn client(builder: RedisBuilder) -> Outcome<()> {
    let redis = &builder.build()?;
    let (list, under_way) = ("bench-list", "bench-under-way");
    let text = |n: u64| format!("{{\"number\":{n},\"path\":\"/images/2026/11/21/0001.png\"}}");
    measure(redis, "RPUSH", SINGLE, async {
        for n in 0..SINGLE {
            redis.rpush(list, text(n)).await?;
        }
        Ok(0)
    })
    .await?;
    measure(redis, "LMOVE", SINGLE, async {
        for _ in 0..SINGLE {
            let _: Option<String> = redis.execute(["LMOVE", list, under_way, "LEFT", "RIGHT"]).await?;
        }
        Ok(0)
    })
    .await?;
    measure(redis, "LREM", SINGLE, async {
        for n in 0..SINGLE {
            assert_eq!(redis.lrem(under_way, 1, text(n)).await?, 1);
        }
        Ok(0)
    })
    .await?;

    let queue = Job::queue("images");
    let mut tickets = Vec::new();
    measure(redis, "push", SINGLE, async {
        for n in 0..SINGLE {
            queue.push(redis, &job(n)).await?;
        }
        Ok(0)
    })
    .await?;
    measure(redis, "reserve", SINGLE, async {
        for _ in 0..SINGLE {
            tickets.push(queue.reserve(redis, "worker-1").await?.ok_or("no job")?.ticket);
        }
        Ok(0)
    })
    .await?;
    measure(redis, "ack", SINGLE, async {
        for ticket in std::mem::take(&mut tickets) {
            queue.ack(redis, ticket).await?;
        }
        Ok(0)
    })
    .await?;

    measure(redis, "push_many of 100", MANY, async {
        for first in (0..MANY).step_by(100) {
            let jobs: Vec<_> = (first..first + AT_ONCE).map(job).collect();
            queue.push_many(redis, &jobs).await?;
        }
        Ok(0)
    })
    .await?;
    measure(redis, "reserve_many of 100", MANY, async {
        for _ in 0..MANY / AT_ONCE {
            tickets.extend(queue.reserve_many(redis, "worker-1", AT_ONCE).await?.iter().map(|job| job.ticket));
        }
        Ok(0)
    })
    .await?;
    measure(redis, "ack, 100 pipelined", MANY, async {
        for some in tickets.chunks(100) {
            let mut batch = redis.batch();
            for ticket in some {
                let _ = queue.ack(&mut batch, *ticket);
            }
            batch.exec().await?;
        }
        assert_eq!(queue.len(redis).await?, 0);
        Ok(0)
    })
    .await
}
