//! A worker process, for the test that kills it: `tests/worker/killed.rs`.

#![expect(clippy::expect_used, reason = "a process of a test that cannot start should say so at once")]

use std::time::Duration;

use redis_model::Unit;
use redis_model::prelude::*;
use redis_model::redis_rest::Encoding;
use redis_model_tests::chaos::Chaos;
use redis_model_tests::direct::Direct;

#[derive(Debug, RedisModel)]
#[redis(stream, prefix = "worker-test")]
struct Job {
    number: u64,
}

/// What the events of the exact worker change.
#[derive(Debug, RedisModel)]
#[redis(prefix = "worker-total")]
struct Total {
    #[redis(id)]
    id: String,
    #[redis(index)]
    sum: i64,
}

fn variable(name: &str) -> String {
    std::env::var(name).expect(name)
}

/// Adds the numbers of the events to a record if `WORKER_EXACTLY` is set. Otherwise it counts each event that it handles in the hash `KEY.seen`, and fails for one in 50 at its first attempt.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (server, key, name) = (variable("WORKER_SERVER"), variable("WORKER_KEY"), variable("WORKER_NAME"));
    let seed: u64 = variable("WORKER_SEED").parse().expect("a number");
    let builder =
        || Redis::builder("http://127.0.0.1:1", "token").encoding(Encoding::Resp2).transport(Direct::new(&server));
    let clean = builder().build()?;
    let chaotic =
        builder().wrap_transport(move |inner| Chaos::new(inner, seed, 20, Duration::from_millis(5))).build()?;
    let seen = format!("{key}.seen");
    let worker = Worker::new(Job::log(&key).group("g"), name)
        .concurrency(16)
        .batch(100)
        .max_deliveries(30)
        .poll(Duration::from_millis(10), Duration::from_millis(200))
        .retry(Duration::from_millis(20), Duration::from_millis(200))
        .reclaim_idle(Duration::from_millis(1000));
    if std::env::var("WORKER_EXACTLY").is_ok() {
        let handler = async |delivered: redis_model::stream::Delivered<Job>| {
            let number = i64::try_from(delivered.event.number).map_err(|error| error.to_string())?;
            Ok::<_, String>(Unit::new().patch(Total::patch(&key).incr(Total::SUM, number)))
        };
        return worker.run_exactly(&chaotic, handler).await;
    }
    worker
        .run(&chaotic, async |delivered| {
            let number = delivered.event.number;
            if number % 50 == 7 && delivered.attempt == 1 {
                return Err("not the first time".to_owned());
            }
            clean.hincrby(&seen, number, 1).await.map(drop).map_err(|error| error.to_string())
        })
        .await
}
