//! How a worker ends.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use redis_model::prelude::*;
use tokio::sync::Notify;

use crate::{append, clients, group, until, worker};

/// What handlers have is finished; what waits for another attempt is given up, and others have it at once.
#[tokio::test]
async fn handlers_finish_and_what_waits_is_given_up() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("graceful");
        append(&redis, &group, 0..10).await?;
        let begun = Notify::new();
        let hour = Duration::from_secs(3600);
        let first = worker(&group, "first").concurrency(1).reclaim_idle(hour).retry(hour, hour);
        first
            .run_until(&redis, begun.notified(), async |delivered| {
                if delivered.event.number == 0 {
                    return Err("later");
                }
                begun.notify_one();
                tokio::time::sleep(Duration::from_millis(100)).await;
                Ok(())
            })
            .await?;
        let counts = first.counters().read();
        assert_eq!((counts.handled, counts.failed), (1, 1), "{server}");

        // An hour before the idle time is over.
        let attempts = Mutex::new(Vec::new());
        let second = worker(&group, "second").reclaim_idle(hour);
        let counters = second.counters();
        second
            .run_until(&redis, until(async || counters.read().handled == 9), async |delivered| {
                attempts.lock().unwrap().push((delivered.event.number, delivered.attempt));
                Ok::<_, String>(())
            })
            .await?;
        let mut attempts = attempts.into_inner().unwrap();
        attempts.sort_unstable();
        assert_eq!((attempts[0], attempts[1]), ((0, 2), (2, 1)), "{server}");
        assert_eq!(group.pending(&redis).await?.count, 0, "{server}");
        assert!(group.remove_consumer(&redis, "first").await?);
    }
    Ok(())
}

#[tokio::test]
async fn handlers_that_do_not_finish_are_dropped_and_their_entries_given_up() -> Result<()> {
    for (server, redis) in clients() {
        let group = group("grace");
        append(&redis, &group, [1]).await?;
        let begun = Notify::new();
        let first = worker(&group, "first").reclaim_idle(Duration::from_secs(3600)).grace(Duration::from_millis(50));
        let started = Instant::now();
        first
            .run_until(&redis, begun.notified(), async |_| {
                begun.notify_one();
                std::future::pending::<()>().await;
                Ok::<_, String>(())
            })
            .await?;
        assert!(started.elapsed() < Duration::from_secs(5), "{server}");

        let second = worker(&group, "second").reclaim_idle(Duration::from_secs(3600));
        let counters = second.counters();
        second
            .run_until(&redis, until(async || counters.read().handled == 1), async |delivered| {
                assert_eq!(delivered.attempt, 2, "it had begun");
                Ok::<_, String>(())
            })
            .await?;
    }
    Ok(())
}
