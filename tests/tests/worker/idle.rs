//! What a worker costs while there is nothing to do, and how quickly it wakes.

use std::time::{Duration, Instant};

use redis_model::prelude::*;
use redis_model::stream::Delivered;
use redis_model_tests::key;
use tokio::time::sleep;

use crate::{SERVERS, clients, group, until, worker};

/// `poll` states the price: with a longest time of 5 seconds it is 720 requests an hour. Here, an hour is 3.6 seconds.
#[tokio::test]
async fn an_idle_worker_sends_what_the_pace_allows() -> Result<()> {
    for (server, redis) in clients() {
        let idle = Duration::from_millis(1800);
        let (shortest, longest) = (Duration::from_micros(500), Duration::from_millis(5));
        let worker = worker(&group("idle"), "w1").poll(shortest, longest);
        worker.run_until(&redis, sleep(idle), async |_| Ok::<_, String>(())).await?;
        let requests = worker.counters().read().requests;
        // The group, the first polls until the pace is slow, and then half of 720.
        assert!(requests <= 1 + 5 + 360, "{server}: {requests} requests");
        assert!(requests > 10, "{server}: {requests} requests");
    }
    Ok(())
}

/// An event whose appends publish.
#[derive(Debug, RedisModel)]
#[redis(stream, prefix = "worker-wake", publish)]
struct Ping {
    number: u64,
}

#[tokio::test]
async fn a_message_wakes_a_worker_between_polls() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let redis = stack.redis();
        let log = Ping::log(key("wake"));
        // Without a message, it would be half a minute.
        let slow = Duration::from_secs(30);
        let worker = Worker::new(log.group("g"), "w1").poll(slow, slow).max_deliveries(1);
        let counters = worker.counters();
        let mut latency = Duration::ZERO;
        let stop = async {
            // Both channels are connected: each connection is a reason for a poll.
            let subscribed =
                async || redis.pubsub_numsub::<String>([log.key()]).await.unwrap().iter().all(|(_, count)| *count > 0);
            while !subscribed().await {
                sleep(Duration::from_millis(10)).await;
            }
            sleep(Duration::from_millis(100)).await;
            let began = Instant::now();
            log.append(&redis, &Ping { number: 1 }).await.unwrap();
            while counters.read().handled == 0 {
                sleep(Duration::from_millis(1)).await;
            }
            latency = began.elapsed();
            // A dead letter that is moved back announces itself, too.
            log.append(&redis, &Ping { number: 2 }).await.unwrap();
            while counters.read().dead == 0 {
                sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(log.group("g").redrive(&redis, 1).await.unwrap(), 1);
            while counters.read().handled == 1 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let began = Instant::now();
        let handler = async |ping: Delivered<Ping>| match ping {
            Delivered { event: Ping { number: 2 }, redrives: 0, .. } => Err("not yet"),
            _ => Ok(()),
        };
        worker.run_until(&redis, stop, handler).await?;
        assert!(began.elapsed() < Duration::from_secs(20), "{server}: messages woke it, not polls");
        println!("{server}: handled {latency:?} after the append began");
        assert!(latency < Duration::from_secs(5), "{server}: {latency:?}");
        let requests = counters.read().requests;
        assert!(requests < 25, "{server}: {requests} requests");
    }
    Ok(())
}

/// What a worker gives up as it ends is announced: others have it without a poll of theirs, and the announcement is
/// part of the request that gives it up.
#[tokio::test]
async fn what_a_worker_gives_up_is_announced() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let redis = stack.redis();
        let group = Ping::log(key("announced")).group("g");
        // Without a message, it would be an hour.
        let slow = |name: &str| {
            let hour = Duration::from_secs(3600);
            Worker::new(group.clone(), name).poll(hour, hour).reclaim_idle(hour).grace(Duration::ZERO)
        };
        let (first, second) = (slow("first"), slow("second"));
        let begun = tokio::sync::Notify::new();
        let handler = async |_| {
            begun.notify_one();
            std::future::pending::<()>().await;
            Ok::<_, String>(())
        };
        let listening = async |count: u64| {
            let channels = [group.log().key().to_owned(), group.retries_key()];
            until(async || redis.pubsub_numsub::<String>(&channels).await.unwrap().iter().all(|(_, is)| *is >= count))
                .await;
        };
        let counters = second.counters();
        let before = std::cell::Cell::new((0, 0));
        let end_first = async {
            listening(1).await;
            group.log().append(&redis, &Ping { number: 1 }).await.unwrap();
            begun.notified().await;
            // The second worker starts when nothing is left to read.
            listening(2).await;
            until(async || counters.read().requests >= 2).await;
            sleep(Duration::from_millis(100)).await;
            before.set((first.counters().read().requests, counters.read().requests));
        };
        let handled = until(async || counters.read().handled == 1);
        let second_run = async {
            begun.notified().await;
            begun.notify_one();
            second.run_until(&redis, handled, async |_| Ok::<_, String>(())).await
        };
        let (first_ended, second_ended) = tokio::join!(first.run_until(&redis, end_first, handler), second_run);
        first_ended?;
        second_ended?;
        let (of_first, of_second) = before.get();
        assert_eq!(first.counters().read().requests - of_first, 1, "{server}: one request gives up and announces");
        let requests = counters.read().requests - of_second;
        assert!(requests <= 3, "{server}: {requests}: it reads, and acknowledges");
        assert_eq!(counters.read().reclaimed, 1, "{server}");
    }
    Ok(())
}
