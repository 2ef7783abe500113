//! Runs that are aborted, that meet, and what they send.

#![expect(clippy::print_stdout, reason = "seeds and figures")]

use redis_model::ErrorKind;
use redis_model::hash::Drift;
use redis_model::prelude::*;
use redis_model_tests::counting::{Counting, Seen};
use redis_model_tests::{own_stack, stack, valkey};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "re-job")]
struct Job {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    queue: String,
}

#[tokio::test]
async fn an_aborted_run_is_started_again() -> Result<()> {
    for stack in [stack(), valkey()] {
        let redis = stack.redis();
        for id in 0..30_u64 {
            redis.hset(format!("re-job:{id}"), [("id", id.to_string()), ("queue", "mail".to_owned())]).await?;
        }
        for steps in [1, 9, 4, 1, 2] {
            let mut run = Job::reindex(&redis);
            for _ in 0..steps {
                let _ = run.next().await;
            }
        }
        assert_eq!(Job::verify_to_end(&redis).await?, [Drift::Building]);
        let error = Job::query().eq(Job::QUEUE, "mail").count(&redis).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Index, "{error}");

        // With the blocking client, and two runs at once, of which the first ends last.
        let blocking = stack.blocking();
        tokio::task::spawn_blocking(move || -> Result<()> {
            let mut first = Job::reindex(&blocking);
            first.next().unwrap()?;
            let second = Job::reindex_to_end(&blocking)?;
            assert!(second.errors.is_empty());
            assert_eq!(Job::verify_to_end(&blocking)?, []);
            for progress in first {
                progress?;
            }
            let drifts = Job::verify(&blocking).map(|step| Ok(step?.into_drifts())).collect::<Result<Vec<_>>>()?;
            assert_eq!(drifts.concat(), []);
            Ok(())
        })
        .await
        .unwrap()?;
        assert_eq!(Job::query().eq(Job::QUEUE, "mail").count(&redis).await?, 30);
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_has_lost_keys_does_not_end_the_one_that_builds_them() -> Result<()> {
    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(prefix = "re-task")]
    struct Task {
        #[redis(id)]
        id: u64,
        #[redis(index)]
        queue: String,
    }

    let redis = stack().redis();
    for id in 0..30 {
        Task { id, queue: "mail".into() }.save(&redis).await?;
    }
    let mut first = Task::reindex(&redis);
    for _ in 0..2 {
        first.next().await.unwrap()?;
    }
    redis.del("re-task::index:queue").await?;
    let mut second = Task::reindex(&redis);
    second.next().await.unwrap()?;
    let error = first.collect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Index && error.message().contains("another run"), "{error}");
    assert_eq!(Task::verify_to_end(&redis).await?, [Drift::Building]);
    second.collect().await?;
    assert_eq!(Task::verify_to_end(&redis).await?, []);

    // Lost while the only run goes on.
    let mut run = Task::reindex(&redis);
    run.next().await.unwrap()?;
    redis.del("re-task::index:queue").await?;
    let error = run.collect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Index && error.message().contains("reindex"), "{error}");
    assert!(Task::reindex_to_end(&redis).await?.errors.is_empty());
    assert_eq!(Task::verify_to_end(&redis).await?, []);
    Ok(())
}

/// The service bills each command, and each request costs a round trip.
#[tokio::test]
async fn a_page_takes_few_commands() -> Result<()> {
    #[derive(Debug, RedisModel)]
    #[redis(prefix = "re-page")]
    struct Item {
        #[redis(id)]
        id: u64,
        #[redis(index)]
        kind: String,
    }

    let stack = own_stack();
    let redis = stack.redis();
    let mut batch = redis.batch();
    for id in 0..1000_u64 {
        let _ = batch.hset(format!("re-page:{id}"), [("id", id.to_string()), ("kind", "tool".to_owned())]);
    }
    batch.exec().await?;

    let seen = Seen::default();
    let sent = seen.clone();
    let redis = stack.builder().wrap_transport(move |inner| Counting::new(inner, sent.clone())).build()?;
    let count = |call: &str, most: (usize, usize)| {
        let requests = seen.take();
        let commands: usize = requests.iter().map(Vec::len).sum();
        println!("{call}: {} requests, {commands} commands", requests.len());
        assert!(
            requests.len() <= most.0 && commands <= most.1,
            "{call}: {} requests, {commands} commands",
            requests.len()
        );
    };
    assert_eq!(Item::reindex_to_end(&redis).await?.progress.indexed(), 1000);
    count("reindex of 1,000 records", (80, 100));
    assert_eq!(Item::verify_to_end(&redis).await?, []);
    count("verify of 1,000 records", (40, 60));
    assert_eq!(Item::reindex_to_end(&redis).await?.progress.indexed(), 0);
    count("reindex of 1,000 records that are indexed", (40, 60));
    Ok(())
}
