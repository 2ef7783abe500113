//! Writers go on while the indexes are compared and built.

#![expect(clippy::print_stdout, reason = "seeds and figures")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis_model::ErrorKind;
use redis_model::prelude::*;
use redis_model_tests::random::{Random, seed};
use redis_model_tests::{Stack, own_redis_7_0, stack, valkey};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "re-busy", index(group, size))]
struct Busy {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: Option<String>,
    #[redis(index)]
    group: String,
    #[redis(index)]
    size: i32,
    #[redis(index)]
    tags: Vec<u32>,
}

fn any_busy(random: &Random) -> Busy {
    Busy {
        id: random.below(200),
        name: (random.below(3) > 0).then(|| random.below(150).to_string()),
        group: random.pick(&["a", "b", "c"]).to_owned(),
        size: random.below(50) - 25,
        tags: Vec::new(),
    }
}

/// Writes at random. With `behind_our_back`, some writes bypass the indexes.
async fn write(redis: &Redis, random: &Random, behind_our_back: bool) -> Result<()> {
    let busy = any_busy(random);
    let key = Busy::key(busy.id)?;
    let result = match random.below(if behind_our_back { 12 } else { 8 }) {
        0 | 1 => busy.save(redis).await,
        2 => busy.insert(redis).await,
        3 => Busy::delete(redis, busy.id).await.map(drop),
        4 => Busy::patch(busy.id).set(Busy::GROUP, busy.group).exec(redis).await,
        5 => Busy::patch(busy.id).incr(Busy::SIZE, 1).exec(redis).await,
        6 => Busy::expire(redis, busy.id, Duration::from_millis(1 + random.below(20))).await.map(drop),
        7 => Busy::persist(redis, busy.id).await.map(drop),
        8 => redis.del(&key).await.map(drop),
        9 => redis
            .hset(
                &key,
                [("id", busy.id.to_string()), ("size", "3".into()), ("group", "a".into()), ("tags", "[]".into())],
            )
            .await
            .map(drop),
        10 => redis.pexpire(&key, Duration::from_millis(10)).await.map(drop),
        _ => redis.zrem("re-busy::index:size", format!("60{}\u{0}{}", busy.size, busy.id)).await.map(drop),
    };
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound | ErrorKind::Duplicate) => {
            Ok(())
        }
        result => result,
    }
}

/// Writes until it is done. Returns how often.
async fn write_until(redis: &Redis, done: &AtomicBool, seed: u64) -> Result<u64> {
    let random = Random::new(seed);
    let mut writes = 0;
    while !done.load(Ordering::Relaxed) {
        match write(redis, &random, false).await {
            // Until a run of `reindex` has started.
            Err(error) if error.kind() == ErrorKind::Index => {}
            result => result?,
        }
        writes += 1;
    }
    Ok(writes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_go_on_while_indexes_are_built() -> Result<()> {
    let redis_7_0 = own_redis_7_0();
    let servers = [Some(stack()), Some(valkey()), redis_7_0.as_ref()];
    for redis in servers.into_iter().flatten().map(Stack::redis) {
        let seed = seed("SEED");
        let random = Random::new(seed);
        for round in 0..6 {
            for _ in 0..150 {
                write(&redis, &random, true).await?;
            }
            match round % 3 {
                0 => drop(redis.del("re-busy::index:group").await?),
                1 => drop(redis.del("re-busy::rows").await?),
                _ => {}
            }
            let done = AtomicBool::new(false);
            let writer = |seed| write_until(&redis, &done, seed);
            let builder = async {
                let runs = tokio::join!(Busy::reindex_to_end(&redis), Busy::reindex_to_end(&redis));
                done.store(true, Ordering::Relaxed);
                Ok::<_, redis_model::Error>((runs.0, runs.1))
            };
            let (a, b, c, runs) = tokio::try_join!(
                writer(random.below(1 << 30)),
                writer(random.below(1 << 30)),
                writer(random.below(1 << 30)),
                builder
            )?;
            // Of two runs that start at the same time, one may find that the other has built lost keys.
            let (first, second) = runs;
            let reindexed = match (first, second) {
                (Ok(first), Ok(second)) => {
                    assert!(second.errors.is_empty(), "{:?}", second.errors);
                    first
                }
                (first, second) => first.or(second)?,
            };
            println!("{} writes beside {:?}", a + b + c, reindexed.progress);
            // No unique value was lost, so none could be taken twice.
            assert!(reindexed.errors.is_empty(), "seed {seed}, round {round}: {:?}", reindexed.errors);
            let drifts = Busy::verify_to_end(&redis).await?;
            assert_eq!(drifts, [], "seed {seed}, round {round}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_no_drift() -> Result<()> {
    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(prefix = "re-brisk")]
    struct Brisk {
        #[redis(id)]
        id: u64,
        #[redis(unique)]
        name: String,
        #[redis(index)]
        size: i32,
    }

    for redis in [stack().redis(), valkey().redis()] {
        let done = AtomicBool::new(false);
        let writer = async |seed: u64| {
            let random = Random::new(seed);
            while !done.load(Ordering::Relaxed) {
                let (id, size) = (random.below(40), random.below(9));
                let written: Result<()> = match random.below(5) {
                    0 => Brisk::delete(&redis, id).await.map(drop),
                    1 => Brisk::expire(&redis, id, Duration::from_millis(random.below(30) + 1)).await.map(drop),
                    2 => Brisk::patch(id).set(Brisk::SIZE, size).exec(&redis).await,
                    _ => Brisk { id, name: random.below(60).to_string(), size }.save(&redis).await,
                };
                if let Err(error) = written {
                    assert!(error.is_duplicate() || error.is_not_found(), "{error}");
                }
            }
            Ok::<_, redis_model::Error>(())
        };
        let verifier = async {
            for _ in 0..12 {
                assert_eq!(Brisk::verify_to_end(&redis).await?, []);
            }
            done.store(true, Ordering::Relaxed);
            Ok(())
        };
        tokio::try_join!(writer(3), writer(5), writer(7), verifier)?;
    }
    Ok(())
}
