//! Which entries stay: by appends, and by trims on their own.

use std::time::Duration;

use redis_model::prelude::*;
use redis_model::stream::{AppendOptions, Retention};
use redis_model_tests::key;
use redis_model_tests::via::everywhere_over;

use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "retain-exact", max_len = 3, exact)]
struct Exact {
    n: u32,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "retain-about", max_len = 100)]
struct About {
    n: u32,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "retain-hour", max_len = 4, max_age = "1h", exact)]
struct Hour {
    n: u32,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "retain-all")]
struct All {
    n: u32,
}

const HOUR: Duration = Duration::from_secs(3600);

/// The time of the server, in milliseconds.
async fn now(redis: &Redis) -> Result<u64> {
    let (seconds, micros): (u64, u64) = redis.execute(["TIME"]).await?;
    Ok(seconds * 1000 + micros / 1000)
}

#[tokio::test]
async fn appends_keep_what_the_model_says() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let log = Exact::log(key("log"));
            for n in 0..5 {
                log.append(redis, &Exact { n }).await?;
            }
            let kept = async || -> Result<Vec<u32>> {
                log.range(redis, .., 100).await?.into_iter().map(|entry| Ok(entry.event?.n)).collect()
            };
            assert_eq!(kept().await?, [2, 3, 4]);
            log.append_many(redis, &[Exact { n: 5 }, Exact { n: 6 }]).await?;
            assert_eq!(kept().await?, [4, 5, 6]);
            // An append keeps what it says instead.
            let all = AppendOptions::new().retention(Retention::new());
            log.append_with(redis, [&Exact { n: 7 }], &all).await?;
            assert_eq!(kept().await?, [4, 5, 6, 7]);
            let two = AppendOptions::new().once("k").retention(Retention::new().max_len(2).exact());
            log.append_with(redis, [&Exact { n: 8 }], &two).await?;
            assert_eq!(kept().await?, [7, 8]);
        }
        let redis = stack.redis();
        let log = About::log(key("log"));
        let events: Vec<_> = (0..400).map(|n| About { n }).collect();
        log.append_many(&redis, &events).await?;
        let length = log.len(&redis).await?;
        assert!((100..300).contains(&length), "{length}");
    }
    Ok(())
}

#[tokio::test]
async fn ages_count_by_the_clock_of_the_server() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let now = now(&redis).await?;
        let log = Hour::log(key("log"));
        let all = All::log(key("log"));
        for (minutes, n) in [(180, 0), (61, 1), (59, 2), (10, 3)] {
            let id = StreamId::new(now - minutes * 60_000, 0);
            redis.xadd_with(log.key(), ("n", n), id_of(id)).await?;
            all.append_at(&redis, id, &All { n }).await?;
        }
        log.append(&redis, &Hour { n: 4 }).await?;
        let kept: Result<Vec<u32>> =
            log.range(&redis, .., 100).await?.into_iter().map(|entry| Ok(entry.event?.n)).collect();
        assert_eq!(kept?, [2, 3, 4]);
        // Both limits count.
        log.append_many(&redis, &[Hour { n: 5 }, Hour { n: 6 }]).await?;
        assert_eq!(log.len(&redis).await?, 4);

        // An entry that would go at once is refused; with another retention it stays.
        let old = Hour::log(key("log"));
        let id = StreamId::new(now - 2 * 3_600_000, 0);
        let error = old.append_at(&redis, id, &Hour { n: 0 }).await.unwrap_err();
        assert!(error.is_conflict() && error.message().contains("older than the `max_age`"), "{error:?}");
        assert!(!old.exists(&redis).await?);
        old.append_at(&redis, StreamId::new(now - 60_000, 0), &Hour { n: 0 }).await?;

        assert_eq!(all.trim(&redis, Retention::new().max_age(HOUR).exact()).await?, 2);
        let per_append = AppendOptions::new().retention(Retention::new().max_age(HOUR / 2).exact());
        all.append_with(&redis, [&All { n: 9 }], &per_append).await?;
        let kept: Result<Vec<u32>> =
            all.range(&redis, .., 100).await?.into_iter().map(|entry| Ok(entry.event?.n)).collect();
        assert_eq!(kept?, [3, 9]);
        // An age longer than the clock has run keeps all.
        let ages = Retention::new().max_age(Duration::from_secs(u64::MAX / 1000)).exact();
        assert_eq!(all.trim(&redis, ages).await?, 0);
    }
    Ok(())
}

fn id_of(id: StreamId) -> redis_model::commands::stream::XAddOptions {
    use redis_model::commands::stream::{NewId, XAddOptions};
    XAddOptions::new().id(NewId::Exact(id))
}

#[tokio::test]
async fn trims_on_their_own() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let log = All::log(key("log"));
            assert_eq!(log.trim(redis, Retention::new().max_len(1).exact()).await?, 0, "there is no log");
            for n in 1..=9 {
                log.append_at(redis, StreamId::new(n.into(), 0), &All { n }).await?;
            }
            assert_eq!(log.trim(redis, Retention::new().max_len(8)).await?, 0, "approximate: within one node");
            assert_eq!(log.trim(redis, Retention::new().max_len(8).exact()).await?, 1);
            assert_eq!(log.trim(redis, Retention::new().min_id(StreamId::new(4, 0)).exact()).await?, 2);
            let both = Retention::new().max_len(5).min_id(StreamId::new(6, 0)).exact();
            assert_eq!(log.trim(redis, both).await?, 2);
            assert_eq!(log.len(redis).await?, 4);
            let error = log.trim(redis, Retention::new()).await.unwrap_err();
            assert!(error.is_invalid_input(), "{error:?}");
            assert_eq!(log.trim(redis, Retention::new().max_len(0).exact()).await?, 4);
            let info = log.info(redis).await?.unwrap();
            assert_eq!((info.length, info.last_generated_id), (0, StreamId::new(9, 0)));
        }
    }
    Ok(())
}
