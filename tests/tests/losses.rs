//! What the guides of logs and of lists say about lost keys and about clocks: a server that restarts without its data, keys that
//! are evicted, and ids that are ahead of the clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis_model::commands::stream::StreamId;
use redis_model::prelude::*;
use redis_model::stream::{AppendOptions, Delivered, Expected, Notice, Retention, Snapshots};
use redis_model::{Aggregate, Entry, Since, Unit, Worker};
use redis_model_tests::{Stack, key, own_servers};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "lost-payments")]
struct Paid {
    cents: i64,
}

/// An event of versioned logs.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, versioned, prefix = "lost-decisions")]
struct Added {
    cents: i64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Sum {
    cents: i64,
}

impl Aggregate for Sum {
    type Event = Added;

    fn apply(self, Added { cents }: Added) -> Self {
        Sum { cents: self.cents + cents }
    }
}

#[derive(Debug, RedisModel)]
#[redis(prefix = "lost-total")]
struct Total {
    #[redis(id)]
    id: String,
    cents: i64,
}

#[derive(Debug, RedisModel)]
#[redis(list, prefix = "lost-job")]
struct Job {
    number: u64,
}

const SOON: Duration = Duration::from_secs(20);

fn servers() -> impl Iterator<Item = Stack> {
    own_servers().into_iter().map(|(_, stack)| stack)
}

/// Adds what an event says to a record.
fn total(id: &str) -> impl FnMut(Unit, Entry<Paid>) -> Result<Unit> + Send + use<> {
    let id = id.to_owned();
    move |unit, entry| Ok(unit.patch(Total::patch(&id).incr(Total::CENTS, entry.event.cents)))
}

/// For its clients, a server that was restarted without persistence is one that has forgotten all keys and scripts.
async fn forget_all(redis: &Redis) -> Result<()> {
    redis.flushall().await?;
    redis.script_flush().await
}

async fn until(is_done: impl Fn() -> bool) {
    while !is_done() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_server_that_has_lost_everything() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let log = Paid::log(key("all"));
        let once = AppendOptions::new().once("payment-17");
        let first = log.append_with(&redis, [&Paid { cents: 1 }], &once).await?;
        let mut tail = log.tail(&redis, Since::Start);
        assert_eq!(tail.next().await.unwrap()?.id, first[0]);
        let aggregate = Added::log(key("aggregate")).versioned().aggregate::<Sum>();
        aggregate.commit(&redis, |_| vec![Added { cents: 5 }]).await?;
        let queue = Job::queue(key("jobs"));
        queue.push(&redis, &Job { number: 1 }).await?;
        let held = queue.reserve(&redis, "w").await?.unwrap();

        let (handled, recreated) = (AtomicU64::new(0), std::sync::Arc::new(AtomicU64::new(0)));
        let seen = std::sync::Arc::clone(&recreated);
        let worker = Worker::new(log.group("g"), "w").on_notice(move |notice| {
            if matches!(notice, Notice::Recreated) {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        let worker = worker.poll(Duration::from_millis(5), Duration::from_millis(20));
        let life = async {
            until(|| handled.load(Ordering::SeqCst) == 1).await;
            forget_all(&redis).await.unwrap();
            until(|| recreated.load(Ordering::SeqCst) == 1).await;
            // The key is forgotten, so the event is appended again.
            assert_ne!(log.append_with(&redis, [&Paid { cents: 1 }], &once).await.unwrap(), first);
            until(|| handled.load(Ordering::SeqCst) == 2).await;
        };
        let handler = async |_: Delivered<Paid>| {
            handled.fetch_add(1, Ordering::SeqCst);
            Ok::<_, String>(())
        };
        tokio::time::timeout(SOON, worker.run_until(&redis, life, handler)).await.unwrap()?;

        let error = tokio::time::timeout(SOON, tail.next()).await.unwrap().unwrap().unwrap_err();
        assert!(error.is_lagged(), "{error}");
        assert_eq!(tokio::time::timeout(SOON, tail.next()).await.unwrap().unwrap()?.event?.cents, 1);
        // A writer that still has version 1 is refused.
        let log = aggregate.log();
        let error = log.append(&redis, Expected::Exact(1), &[Added { cents: 1 }]).await.unwrap_err();
        assert_eq!((error.is_conflict(), error.stored_version()), (true, Some(0)));
        assert_eq!(aggregate.load(&redis).await?.version, 0);
        assert!(queue.ack(&redis, held.ticket).await.unwrap_err().is_not_found());
        assert!(queue.reserve(&redis, "w").await?.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn single_keys_that_are_evicted() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        // The key of `once`: the events are appended again.
        let log = Paid::log(key("once"));
        let once = AppendOptions::new().once("payment-17");
        log.append_with(&redis, [&Paid { cents: 1 }], &once).await?;
        redis.del(format!("{}::once:payment-17", log.key())).await?;
        log.append_with(&redis, [&Paid { cents: 1 }], &once).await?;
        assert_eq!(log.len(&redis).await?, 2);

        // A snapshot: it is made anew.
        let sum = Added::log(key("snapshot")).versioned().aggregate::<Sum>().snapshots(Snapshots::json().every(5));
        sum.log().append(&redis, Expected::NoStream, &vec![Added { cents: 2 }; 5]).await?;
        sum.load(&redis).await?;
        let snapshot = format!("{}::snapshot", sum.log().key());
        assert!(redis.del(&*snapshot).await? == 1);
        let loaded = sum.load(&redis).await?;
        assert_eq!((loaded.version, loaded.cents, redis.exists(&*snapshot).await?), (5, 10, 1));

        // The position of a projection: it begins again, and increments count twice.
        let (id, projection) = (key("total"), log.projection("totals"));
        Total { id: id.clone(), cents: 0 }.insert(&redis).await?;
        assert_eq!(projection.catch_up(&redis, total(&id)).await?.events, 2);
        redis.del(projection.key()).await?;
        assert_eq!(projection.catch_up(&redis, total(&id)).await?.events, 2);
        assert_eq!(Total::load(&redis, &id).await?.unwrap().cents, 4);

        // The list of a work queue: its jobs are not found.
        let queue = Job::queue(key("list"));
        queue.push(&redis, &Job { number: 1 }).await?;
        redis.del(queue.key()).await?;
        assert!(queue.reserve(&redis, "w").await?.is_none());

        // Redriven entries: nothing reports that they are gone.
        let group = log.group("g");
        let worker = || Worker::new(group.clone(), "w").max_deliveries(1).poll(Duration::from_millis(5), SOON);
        let fails = worker();
        let counters = fails.counters();
        let stop = until(|| counters.read().dead == 2);
        fails.run_until(&redis, stop, async |_: Delivered<Paid>| Err::<(), _>("no")).await?;
        assert_eq!(group.redrive(&redis, 10).await?, 2);
        redis.del(group.retries_key()).await?;
        let idle = worker();
        let stop = tokio::time::sleep(Duration::from_millis(100));
        idle.run_until(&redis, stop, async |_: Delivered<Paid>| Ok::<_, String>(())).await?;
        let counts = idle.counters().read();
        assert_eq!((counts.handled, counts.trimmed, counts.missed), (0, 0, 0));
    }
    Ok(())
}

/// An id from the future is what a clock leaves behind that jumps ahead and then back.
#[tokio::test]
async fn ids_go_forward_if_the_clock_goes_back() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let log = Paid::log(key("clock"));
        let tomorrow = StreamId::new(4_102_444_800_000, 7);
        log.append_at(&redis, tomorrow, &Paid { cents: 1 }).await?;
        let id = log.append(&redis, &Paid { cents: 2 }).await?;
        assert_eq!(id, StreamId::new(tomorrow.millis, 8));
        let kept = AppendOptions::new().retention(Retention::new().max_age(Duration::from_secs(60)).exact());
        let id = log.append_with(&redis, [&Paid { cents: 3 }], &kept).await?;
        assert_eq!((id[0].sequence, log.len(&redis).await?), (9, 3), "they count as younger than they are");
    }
    Ok(())
}
