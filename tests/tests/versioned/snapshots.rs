//! Snapshots: what is stored, used, ignored and rebuilt.

use redis_model::codec::Postcard;
use redis_model::commands::stream::Trim;
use redis_model::prelude::*;
use redis_model::stream::{Expected, Snapshots};
use redis_model::{Aggregate as _, AggregateLog};
use redis_model_tests::counting::{Counting, Seen};
use redis_model_tests::key;
use redis_model_tests::random::Random;

use crate::lossy::lossy;
use crate::{Account, Event, paid, seed, servers};

fn account(name: &str, schema: &str) -> AggregateLog<Account> {
    Event::log(name).versioned().aggregate().snapshots(Snapshots::json().every(10).schema(schema))
}

async fn stored(redis: &Redis, log: &AggregateLog<Account>) -> Result<Option<String>> {
    redis.hget(format!("{}::snapshot", log.log().key()), "version").await
}

async fn append(redis: &Redis, log: &AggregateLog<Account>, count: usize) -> Result<()> {
    log.log().append(redis, Expected::Any, &vec![paid(2); count]).await.map(drop)
}

#[tokio::test]
async fn a_state_is_loaded_by_one_request() -> Result<()> {
    for (_, stack) in servers() {
        let seen = Seen::default();
        let counter = seen.clone();
        let redis = stack.builder().wrap_transport(move |inner| Counting::new(inner, counter.clone())).build()?;
        let log = account(&key("one"), "1");
        append(&redis, &log, 9).await?;
        assert_eq!((log.load(&redis).await?.version, stored(&redis, &log).await?), (9, None));
        append(&redis, &log, 1).await?;
        assert_eq!((log.load(&redis).await?.version, stored(&redis, &log).await?.as_deref()), (10, Some("10")));
        append(&redis, &log, 9).await?;
        seen.take();
        let loaded = log.load(&redis).await?;
        let requests = seen.take();
        assert_eq!((loaded.version, loaded.cents, loaded.events), (19, 38, 19));
        assert_eq!((requests.len(), requests[0].len()), (1, 1));
        // A commit is a load and an append; the tenth event after the snapshot adds its write.
        let committed = log.commit(&redis, |account| vec![paid(account.cents)]).await?;
        assert_eq!((committed.version, committed.cents, seen.take().len()), (20, 76, 3));
        assert_eq!(stored(&redis, &log).await?.as_deref(), Some("20"));
        seen.take();
        assert_eq!(log.commit(&redis, |_| vec![]).await?.version, 20);
        assert_eq!(seen.take().len(), 1);
        let refused = log.commit(&redis, |_| Err(redis_model::Error::new(redis_model::ErrorKind::InvalidInput, "no")));
        assert_eq!(refused.await.unwrap_err().message(), "no");
        assert_eq!(log.log().version(&redis).await?, 20);
    }
    Ok(())
}

#[tokio::test]
async fn what_does_not_fit_is_rebuilt() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let damages: [(&str, &[(&str, &str)]); 8] = [
            ("state", &[("state", "{\"owner\":")]),
            ("a digit", &[("state", "{\"owner\":\"\",\"cents\":99,\"is_closed\":false,\"events\":20}")]),
            ("version", &[("version", "7")]),
            ("no number", &[("version", "x")]),
            ("the future", &[("version", "900")]),
            ("an id that Lua would write as 1e+15", &[("version", "1000000000000000")]),
            ("schema", &[("schema", "of another program")]),
            ("checksum", &[("checksum", "")]),
        ];
        for (what, fields) in damages {
            let log = account(&key("damage"), "1");
            append(&redis, &log, 20).await?;
            let right = log.load(&redis).await?;
            assert_eq!(stored(&redis, &log).await?.as_deref(), Some("20"));
            let snapshot = format!("{}::snapshot", log.log().key());
            redis.hset(&snapshot, fields.iter().copied()).await?;
            assert_eq!(log.load(&redis).await?, right, "{name}: {what}");
            assert_eq!(stored(&redis, &log).await?.as_deref(), Some("20"), "{name}: {what}");
            append(&redis, &log, 3).await?;
            let expected = log.log().fold(&redis, Account::default(), Account::apply).await?;
            assert_eq!(log.load(&redis).await?, expected, "{name}: {what}");
            // It is used again: the events before it are not needed.
            redis.xtrim(log.log().key(), Trim::max_len(3)).await?;
            assert_eq!(log.load(&redis).await?, expected, "{name}: {what}");
            // Another schema does not fit, and the events are gone.
            let error = account(log.log().key().rsplit(':').next().unwrap(), "2").load(&redis).await.unwrap_err();
            assert!(error.is_lagged(), "{error}");
        }
        // A key of another type is ignored.
        let log = account(&key("type"), "1");
        append(&redis, &log, 20).await?;
        redis.set(format!("{}::snapshot", log.log().key()), "x").await?;
        assert_eq!(log.load(&redis).await?.version, 20);
    }
    Ok(())
}

#[tokio::test]
async fn a_snapshot_of_a_deleted_log_is_from_the_future() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = account(&key("again"), "1");
        append(&redis, &log, 30).await?;
        log.load(&redis).await?;
        redis.del(log.log().key()).await?;
        assert_eq!(log.load(&redis).await?.version, 0);
        append(&redis, &log, 12).await?;
        assert_eq!((log.load(&redis).await?.cents, stored(&redis, &log).await?.as_deref()), (24, Some("12")));

        // A log that has grown past the snapshot of the one before is another log all the same.
        redis.del(log.log().key()).await?;
        append(&redis, &log, 14).await?;
        assert_eq!(log.load(&redis).await?.cents, 28);
        // Of this log, the first events are not needed any more.
        append(&redis, &log, 20).await?;
        assert_eq!(log.load(&redis).await?.cents, 68);
        redis.xtrim(log.log().key(), Trim::max_len(5)).await?;
        assert_eq!(log.load(&redis).await?.cents, 68);
    }
    Ok(())
}

#[tokio::test]
async fn an_older_state_does_not_replace_a_newer_one() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let name = key("newer");
        let (log, binary) = (account(&name, "1"), Event::log(&name).versioned().aggregate::<Account>());
        let binary = binary.snapshots(Snapshots::with_codec::<Postcard>().every(5).name("binary"));
        append(&redis, &log, 25).await?;
        assert_eq!(log.load(&redis).await?, binary.load(&redis).await?);
        append(&redis, &log, 4).await?;
        assert_eq!(log.load(&redis).await?, binary.load(&redis).await?);
        assert_eq!(stored(&redis, &log).await?.as_deref(), Some("25"));
        let version: Option<String> = redis.hget(format!("{}::snapshot:binary", log.log().key()), "version").await?;
        assert_eq!(version.as_deref(), Some("25"));
    }
    Ok(())
}

/// Programs that start again at random, with connections that break, see what a plain replay sees.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_equal_a_replay_whatever_breaks() -> Result<()> {
    let seed = seed();
    for (name, stack) in servers() {
        let redis = stack.redis();
        let names: Vec<_> = (0..3).map(|_| key("restart")).collect();
        let tasks = (0..6).map(|task| {
            let (stack_redis, names) = (lossy(stack, seed + task, 20), names.clone());
            tokio::spawn(async move {
                let random = Random::new(seed ^ (task << 16));
                for _ in 0..40 {
                    let log = account(
                        &names[usize::try_from(random.below(3)).unwrap()],
                        ["1", "2"][usize::try_from(random.below(2)).unwrap()],
                    );
                    let budget = std::time::Duration::from_millis(1 + random.below(40));
                    // Cancelled anywhere: before it is sent, while it waits, or between two requests.
                    let cents = random.below(100);
                    let commit = log.commit(&stack_redis, move |_| vec![paid(cents)]);
                    if random.below(2) == 0 {
                        drop(tokio::time::timeout(budget, commit).await);
                    } else if let Err(error) = commit.await {
                        assert!(error.is_conflict(), "{error:?}");
                    }
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        for log_name in &names {
            let replayed = Event::log(log_name).versioned().fold(&redis, Account::default(), Account::apply).await?;
            assert_eq!(replayed.version, replayed.events);
            for schema in ["1", "2"] {
                assert_eq!(account(log_name, schema).load(&redis).await?, replayed, "{name}");
            }
            println!(
                "{name}: {} events, snapshot {:?}",
                replayed.version,
                stored(&redis, &account(log_name, "1")).await?
            );
        }
    }
    Ok(())
}

/// Another program writes nonsense into the snapshot, and replaces it by a list, while commits race over a bad network: each
/// state is that of the events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_that_are_damaged_under_commits_are_ignored() -> Result<()> {
    const DAMAGES: [(&str, &[u8]); 7] = [
        ("version", b"999999"),
        ("version", b"nan"),
        ("version", b"1e1"),
        ("version", b"-1"),
        ("state", b"{\"cents\":7"),
        ("schema", b"x"),
        ("checksum", b"\xff"),
    ];
    let seed = seed();
    for (name, stack) in servers() {
        let redis = stack.redis();
        let log_name = key("damaged");
        let log = || Event::log(&log_name).versioned();
        let snapshot = format!("{}::snapshot", log().key());
        let writers = (0..4).map(|writer| {
            let redis = lossy(stack, seed + writer, 10);
            let account = log().aggregate::<Account>().snapshots(Snapshots::json().every(2));
            tokio::spawn(async move {
                for _ in 0..12 {
                    while let Err(error) = account.commit(&redis, |_| vec![paid(1)]).await {
                        assert!(error.is_conflict(), "{error:?}");
                    }
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        for round in 0.. {
            let (field, text) = DAMAGES[round % DAMAGES.len()];
            // Whatever is stored there: a write of the wrong type is refused.
            let _ = redis.hset(&snapshot, (field, text)).await;
            match round % 15 {
                7 => drop(redis.transaction().del(&snapshot).rpush(&snapshot, "x").exec().await?),
                9 => drop(redis.del(&snapshot).await?),
                _ => {}
            }
            if writers.iter().all(tokio::task::JoinHandle::is_finished) {
                break;
            }
            tokio::task::yield_now().await;
        }
        for writer in writers {
            writer.await.unwrap();
        }
        let account = log().aggregate::<Account>().snapshots(Snapshots::json().every(2));
        let loaded = account.load(&redis).await?;
        assert_eq!((loaded.version, loaded.events, loaded.cents), (48, 48, 48), "{name}");
    }
    Ok(())
}
