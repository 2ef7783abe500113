//! A server without memory: each call does all that it is for, or nothing, so no job is lost.

use std::time::Duration;

use redis_model::Queue;
use redis_model::list::{JobOptions, Nack, Ticket};
use redis_model::prelude::*;
use redis_model_tests::key;
use tokio::time::sleep;

use crate::queue::Job;
use crate::servers;

async fn limit(redis: &Redis, bytes: u64) {
    redis.config_set(("maxmemory", bytes)).await.unwrap();
}

fn job(number: u64) -> Job {
    Job { number }
}

async fn count(redis: &Redis, queue: &Queue<Job>) -> u64 {
    let stats = queue.stats(redis).await.unwrap();
    stats.waiting + stats.delayed + stats.reserved + stats.dead
}

#[tokio::test]
async fn a_full_server_loses_no_job() -> Result<()> {
    for (server, stack) in servers() {
        let redis = stack.redis();
        let queue = Job::queue(key("full")).max_attempts(9);
        let reserve = async || -> Result<Ticket> { Ok(queue.reserve(&redis, "w").await?.expect("a job").ticket) };
        queue.push_many(&redis, &[job(1), job(2), job(3), job(4), job(5)]).await?;
        let (done, failed, died, late) = (reserve().await?, reserve().await?, reserve().await?, reserve().await?);
        queue.nack(&redis, died, Nack::new().dead()).await?;
        queue.extend(&redis, late, Duration::from_millis(1)).await?;
        queue.push_with(&redis, &job(6), &JobOptions::new().delay(Duration::from_millis(1))).await?;
        sleep(Duration::from_millis(20)).await;

        limit(&redis, 1).await;
        let refusals = [
            queue.push(&redis, &job(7)).await.err(),
            queue.extend(&redis, failed, Duration::from_secs(60)).await.err(),
            queue.recover(&redis, 100).await.err(),
            queue.nack(&redis, failed, Nack::new()).await.err(),
            queue.reserve(&redis, "w").await.err(),
            queue.retry_dead(&redis, 100).await.err(),
        ];
        for error in refusals.iter().flatten() {
            assert_eq!((error.code(), error.may_have_executed()), (Some("OOM"), false), "{server}: {error}");
        }
        assert!(refusals[0].is_some(), "{server}: a push grows");
        // What frees memory is done.
        queue.ack(&redis, done).await?;
        limit(&redis, 0).await;
        assert_eq!(count(&redis, &queue).await, 5, "{server}");

        // A worker goes on when there is memory again, and does the rest.
        let queue = queue.hold_for(Duration::from_secs(2));
        let worker = queue.worker("w").poll(Duration::from_millis(5), Duration::from_millis(50));
        limit(&redis, 1).await;
        let stop = async {
            sleep(Duration::from_millis(300)).await;
            limit(&redis, 0).await;
            queue.retry_dead(&redis, 1).await.unwrap();
            // The other one is that of a worker which holds it for a minute.
            while count(&redis, &queue).await > u64::from(refusals[4].is_none()) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        worker.run_until(&redis, stop, async |_| Ok::<_, String>(())).await?;
    }
    Ok(())
}
