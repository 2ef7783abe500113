//! Units of work that are committed together with the acknowledgement.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::redis_rest::Encoding;
use redis_model::redis_rest::commands::stream::XClaimOptions;
use redis_model::{Error, Unit};
use redis_model_tests::chaos::Chaos;
use redis_model_tests::direct::Direct;
use redis_model_tests::key;
use tokio::sync::Notify;

use crate::{SERVERS, append, clients, group, until, worker};

/// A record that events change, with indexes and a unique value.
#[derive(Debug, Clone, RedisModel)]
#[redis(prefix = "worker-account")]
struct Account {
    #[redis(id)]
    id: String,
    #[redis(index)]
    cents: i64,
    #[redis(unique)]
    name: String,
}

async fn account(redis: &Redis) -> Result<Account> {
    let account = Account { id: key("account"), cents: 0, name: key("name") };
    account.insert(redis).await?;
    Ok(account)
}

/// A network that loses replies, handlers that are dropped, and several workers: each event counts once.
#[tokio::test]
async fn each_event_changes_the_record_once() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let redis = crate::direct(stack);
        let (group, account) = (group("exactly"), account(&redis).await?);
        append(&redis, &group, 1..=200).await?;
        let calls = AtomicU64::new(0);
        let is_done = async || {
            let status = group.status(&redis).await;
            status.is_ok_and(|status| status.waiting == Some(0) && status.info.pending == 0)
        };
        let run = async |name: &str, seed: u64| {
            let builder = stack.builder().encoding(Encoding::Resp2).transport(Direct::new(stack.server.url()));
            let chaotic =
                builder.wrap_transport(move |inner| Chaos::new(inner, seed, 100, Duration::from_millis(2))).build()?;
            let worker = worker(&group, name).max_deliveries(50).timeout(Duration::from_millis(60));
            worker
                .run_exactly_until(&chaotic, until(is_done), async |delivered| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    let cents = i64::try_from(delivered.event.number).unwrap();
                    Ok::<_, Error>(Unit::new().patch(Account::patch(&account.id).incr(Account::CENTS, cents)))
                })
                .await?;
            Ok::<_, Error>(worker.counters().read())
        };
        let (one, two) = tokio::join!(run("w1", 3), run("w2", 4));
        let (one, two) = (one?, two?);
        let stored = Account::load(&redis, &account.id).await?.unwrap();
        assert_eq!(stored.cents, 200 * 201 / 2, "{server}: each event once");
        let calls = calls.into_inner();
        println!("{server}: {calls} calls for 200 events, {} + {} requests failed", one.errors, two.errors);
        assert_eq!(one.dead + two.dead, 0, "{server}");
        assert!(one.handled > 0 && two.handled > 0, "{server}");
    }
    Ok(())
}

/// A unit of a worker that has lost its entry writes nothing.
#[tokio::test]
async fn the_unit_of_a_worker_that_has_lost_its_entry_is_not_committed() -> Result<()> {
    for (server, redis) in clients() {
        let (group, account) = (group("unit-fence"), account(&redis).await?);
        let id = append(&redis, &group, [1]).await?[0];
        let (begun, resume) = (Notify::new(), Notify::new());
        let worker = worker(&group, "w1").reclaim_idle(Duration::from_secs(60));
        let counters = worker.counters();
        let stop = async {
            begun.notified().await;
            let options = XClaimOptions::new();
            redis.xclaim_justid(group.log().key(), "g", "thief", Duration::ZERO, [id], options).await.unwrap();
            resume.notify_one();
            until(async || counters.read().lost == 1).await;
        };
        worker
            .run_exactly_until(&redis, stop, async |_| {
                begun.notify_one();
                resume.notified().await;
                Ok::<_, Error>(Unit::new().patch(Account::patch(&account.id).incr(Account::CENTS, 5)))
            })
            .await?;
        assert_eq!(Account::load(&redis, &account.id).await?.unwrap().cents, 0, "{server}");
        assert_eq!(group.pending(&redis).await?.consumers, [("thief".to_owned(), 1)], "{server}");
    }
    Ok(())
}

/// A unit that is refused leaves the entry pending, and the handler is called again.
#[tokio::test]
async fn a_unit_that_is_refused_is_a_failure() -> Result<()> {
    for (server, redis) in clients() {
        let (group, account) = (group("refused-unit"), account(&redis).await?);
        append(&redis, &group, [1, 2]).await?;
        let worker = worker(&group, "w1").max_deliveries(2);
        let counters = worker.counters();
        let stop = until(async || counters.read().handled == 1 && counters.read().dead == 1);
        worker
            .run_exactly_until(&redis, stop, async |delivered| {
                let other = Account { id: key("other"), ..account.clone() };
                let unit = Unit::new().patch(Account::patch(&account.id).incr(Account::CENTS, 1));
                // The name is taken: nothing of this unit is written. An empty unit only acknowledges.
                Ok::<_, Error>(if delivered.event.number == 1 { unit.insert(&other) } else { Unit::new() })
            })
            .await?;
        assert_eq!(Account::load(&redis, &account.id).await?.unwrap().cents, 0, "{server}");
        let letter = group.dead_letters(&redis, StreamId::MIN, 1).await?.remove(0)?;
        assert!(letter.error.contains("the same value"), "{server}: {}", letter.error);

        // A redriven entry is committed, too, and then gone.
        assert_eq!(group.redrive(&redis, 1).await?, 1);
        let again = crate::worker(&group, "w2");
        let counters = again.counters();
        again
            .run_exactly_until(&redis, until(async || counters.read().handled == 1), async |_| {
                Ok::<_, Error>(Unit::new().patch(Account::patch(&account.id).incr(Account::CENTS, 1)))
            })
            .await?;
        assert_eq!(Account::load(&redis, &account.id).await?.unwrap().cents, 1, "{server}");
        assert_eq!(redis.xlen(group.retries_key()).await?, 0, "{server}");
    }
    Ok(())
}
