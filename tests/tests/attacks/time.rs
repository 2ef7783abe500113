//! Records that expire while others write.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis_model::Unit;
use redis_model::hash::SaveOptions;
use redis_model::prelude::*;
use tokio::time::sleep;

use crate::{no_drift, servers};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "lease")]
struct Lease {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: String,
    #[redis(index)]
    age: u8,
}

/// Times to live of a few milliseconds. On Redis 7.0 the clock of a script runs ahead of the one by which keys expire.
#[tokio::test]
async fn rows_that_expire_beside_writers_leave_nothing_behind() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) {
            for result in join_all((0..8).map(|task| write_leases(redis, task))).await {
                result?;
            }
        }
        sleep(Duration::from_millis(20)).await;
        for id in 1..=6 {
            Lease { id, name: format!("n{id}"), age: 3 }.save(redis).await?;
        }
        no_drift::<Lease>(redis).await?;
    }
    Ok(())
}

/// Six records that fight for five names.
async fn write_leases(redis: &Redis, task: u64) -> Result<()> {
    for n in 0..20 {
        let id = 1 + (task * 7 + n) % 6;
        let lease = Lease { id, name: format!("n{}", (task + n) % 5), age: 1 };
        let options = SaveOptions::new().ttl(Duration::from_millis(1 + (task + n) % 5));
        match lease.save_with(redis, options).await {
            Err(error) if !error.is_duplicate() => return Err(error),
            _ => {}
        }
        if n % 5 == 0 {
            match Lease::patch(id).set(Lease::AGE, 2).exec(redis).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "part", partitions = 4)]
struct Part {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: String,
}

#[tokio::test]
async fn an_expired_owner_in_another_partition_gives_its_value_away() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let part = |id, name: &str| Part { id, name: name.into() };
        let soon = || SaveOptions::new().ttl(Duration::from_millis(50));
        part(1, "ada").insert_with(redis, soon()).await?;
        part(2, "bob").insert_with(redis, soon()).await?;
        sleep(Duration::from_millis(100)).await;
        part(4, "ada").insert(redis).await?;
        no_drift::<Part>(redis).await?;
        Unit::new().insert(&part(7, "bob")).commit(redis).await?;
        no_drift::<Part>(redis).await?;
    }
    Ok(())
}
