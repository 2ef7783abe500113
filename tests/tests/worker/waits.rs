//! The times before which entries wait, which the server keeps in a hash: when they end, and what others write there.

use std::time::Duration;

use redis_model::prelude::*;
use redis_model::{Failure, Group};
use tokio::sync::Notify;

use crate::{Job, append, clients, group, until, worker};

const HOUR: Duration = Duration::from_secs(3600);

fn waits(group: &Group<Job>) -> String {
    format!("{}::wait:g", group.log().key())
}

/// Lets a worker fail with an entry that is to wait for an hour.
async fn wait_for_an_hour(redis: &Redis, group: &Group<Job>) -> Result<()> {
    let failed = Notify::new();
    let later = async |_| {
        failed.notify_one();
        Err::<(), _>(Failure::retry_after(HOUR, "rate limited"))
    };
    worker(group, "first").run_until(redis, failed.notified(), later).await
}

/// Lets a worker begin an entry, and die.
async fn begin_and_die(redis: &Redis, group: &Group<Job>) -> Result<()> {
    let begun = Notify::new();
    let dies = worker(group, "dies");
    let never = async |_| {
        begun.notify_one();
        std::future::pending::<Result<(), String>>().await
    };
    tokio::select! {
        ended = dies.run(redis, never) => ended,
        () = begun.notified() => Ok(()),
    }
}

async fn handle_one(redis: &Redis, group: &Group<Job>) -> Result<()> {
    let lives = worker(group, "lives");
    let counters = lives.counters();
    lives.run_until(redis, until(async || counters.read().handled == 1), async |_| Ok::<_, String>(())).await
}

#[tokio::test]
async fn a_wait_ends_with_its_group() -> Result<()> {
    for (_, redis) in clients() {
        let group = group("created-again");
        append(&redis, &group, [1]).await?;
        wait_for_an_hour(&redis, &group).await?;
        group.destroy(&redis).await?;
        group.create(&redis).await?;
        begin_and_die(&redis, &group).await?;
        handle_one(&redis, &group).await?;
    }
    Ok(())
}

#[tokio::test]
async fn nothing_that_others_write_stops_a_worker() -> Result<()> {
    for (_, redis) in clients() {
        for text in ["1e300", "inf", "0x7fffffffffffffff", "", "-1", "9223372036854775807", "99999999999999999999"] {
            let group = group("foreign-waits");
            let id = append(&redis, &group, [1]).await?[0];
            begin_and_die(&redis, &group).await?;
            redis.hset(waits(&group), (format!("1:{id}"), text)).await?;
            handle_one(&redis, &group).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn another_type_at_the_key_is_an_error_before_anything_is_done() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("waits-of-another-type");
        append(&redis, &group, [1]).await?;
        redis.set(waits(&group), "x").await?;
        let error = worker(&group, "w").run(&redis, async |_| Ok::<_, String>(())).await.unwrap_err();
        assert_eq!(error.code(), Some("WRONGTYPE"), "{server}: {error}");
        assert_eq!(group.pending(&redis).await?.count, 0, "{server}");
    }
    Ok(())
}

#[tokio::test]
async fn entries_that_are_gone_leave_no_wait() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("gone");
        let ids = append(&redis, &group, 0..8).await?;
        let waiting = worker(&group, "w").heartbeat(Duration::from_millis(20));
        let stop = async {
            until(async || redis.hlen(waits(&group)).await.unwrap() == 8).await;
            group.log().delete(&redis, ids.clone()).await.unwrap();
            until(async || redis.exists(waits(&group)).await.unwrap() == 0).await;
        };
        waiting.run_until(&redis, stop, async |_| Err::<(), _>(Failure::retry_after(HOUR, "rate limited"))).await?;
        assert_eq!(waiting.counters().read().trimmed, 8, "{server}");
    }
    Ok(())
}
