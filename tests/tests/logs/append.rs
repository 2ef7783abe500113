//! Appends: with ids of the caller, exactly once, and what is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis_model::commands::expiry::Ttl;
use redis_model::prelude::*;
use redis_model::redis_rest::{Build, Client, RetryPolicy};
use redis_model::stream::{AppendOptions, Expected, Retention};
use redis_model::{ErrorKind, Log};
use redis_model_tests::chaos::Chaos;
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::via::{Via, everywhere_over};
use redis_model_tests::{ENCODINGS, Stack, key};

use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "append-events")]
enum Event {
    Paid { cents: i64, note: Option<String> },
    Closed,
}

/// An event that may have no fields.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "append-notes")]
struct Note {
    text: Option<String>,
}

/// Each append of it publishes, so a script makes it.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "append-loud", publish)]
struct Loud {
    text: Option<String>,
}

/// An event of versioned logs.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, versioned, prefix = "append-versions")]
struct Decided {
    cents: i64,
}

fn paid(cents: i64) -> Event {
    Event::Paid { cents, note: None }
}

async fn events(redis: &Via, log: &Log<Event>) -> Result<Vec<Event>> {
    log.range(redis, .., 1000).await?.into_iter().map(|entry| entry.event).collect()
}

fn line<R>(command: &redis_model::redis_rest::Command<R>) -> String {
    command.validate().unwrap();
    command.args().iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_plain_append_is_a_plain_xadd() {
    let log = Event::log(1);
    assert_eq!(line(&log.append(Build, &Event::Closed)), "XADD append-events:1 * event Closed");
    let many = log.append_many(Build, &[paid(1), Event::Closed]);
    assert_eq!(many.commands().len(), 2);
    let exact = AppendOptions::new().retention(Retention::new().max_len(10).exact());
    let expected = "XADD append-events:1 MAXLEN 10 * event Closed";
    assert_eq!(line(&log.append_with(Build, [&Event::Closed], &exact)), expected);
    let from = AppendOptions::new().retention(Retention::new().min_id(StreamId::new(7, 1)));
    let expected = "XADD append-events:1 MINID ~ 7-1 * event Closed";
    assert_eq!(line(&log.append_with(Build, [&Event::Closed], &from)), expected);
    let at = log.append_at(Build, StreamId::new(7, 1), &Event::Closed);
    assert_eq!(line(&at), "XADD append-events:1 7-1 event Closed");
}

#[tokio::test]
async fn under_a_key_events_are_appended_once() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let log = Event::log(key("once"));
            let (first, second) = (AppendOptions::new().once("payment-17"), AppendOptions::new().once("stripe:evt_2"));
            let two = [&paid(1), &Event::Closed];
            let ids = log.append_with(redis, two, &first).await?;
            let other = log.append_with(redis, [&paid(2)], &second).await?;
            assert_eq!(log.append_with(redis, two, &first).await?, ids);
            assert_eq!(log.append_with(redis, [&paid(2)], &second).await?, other);
            assert_eq!(events(redis, &log).await?, [paid(1), Event::Closed, paid(2)]);

            // Other events under the same key: fewer, others, or divided otherwise.
            let noted = |note: &str| Event::Paid { cents: 1, note: Some(note.into()) };
            for others in [vec![&paid(1)], vec![&Event::Closed, &paid(1)], vec![&noted("x"), &Event::Closed]] {
                let error = log.append_with(redis, others, &first).await.unwrap_err();
                assert!(error.is_conflict() && !error.may_have_executed(), "{error:?}");
                assert!(error.message().contains(&format!("as entry {} and those after it", ids[0])), "{error}");
                assert_eq!((error.model(), error.key()), (Some("Event"), Some(log.key())));
            }
            // The ids are known although the log is gone.
            assert!(log.clear(redis).await?);
            assert_eq!(log.append_with(redis, two, &first).await?, ids);
            assert!(!log.exists(redis).await?);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_key_is_known_for_a_day_or_as_long_as_asked() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let log = Event::log(key("window"));
        let ttl = async |name: &str| -> Result<Duration> {
            match redis.pttl(format!("{}::once:{name}", log.key())).await? {
                Ttl::Expires(left) => Ok(left),
                other => panic!("{other:?}"),
            }
        };
        log.append_with(&redis, [&paid(1)], &AppendOptions::new().once("day")).await?;
        assert!(ttl("day").await? > Duration::from_secs(86_000));
        let short = AppendOptions::new().once("short").once_for(Duration::from_millis(50));
        let first = log.append_with(&redis, [&paid(1)], &short).await?;
        tokio::time::sleep(Duration::from_millis(120)).await;
        assert!(log.append_with(&redis, [&paid(1)], &short).await? > first);
        // A key that is not a string is refused before anything is changed.
        let length = log.len(&redis).await?;
        redis.rpush(format!("{}::once:list", log.key()), "x").await?;
        let error = log.append_with(&redis, [&paid(1)], &AppendOptions::new().once("list")).await.unwrap_err();
        assert!(error.is_wrong_type(), "{error:?}");
        assert_eq!(log.len(&redis).await?, length);
    }
    Ok(())
}

/// A client whose first requests are cut, and the number of requests it has sent.
fn cut(stack: &Stack, cuts: &[Cut]) -> (Redis, Arc<AtomicU32>) {
    let sent = Arc::new(AtomicU32::new(0));
    let (cuts, counter) = (cuts.to_vec(), Arc::clone(&sent));
    let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(2));
    let builder = stack.builder().retry(policy);
    let builder = builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::clone(&counter)));
    (builder.build().unwrap(), sent)
}

#[tokio::test]
async fn lost_replies_append_nothing_twice() -> Result<()> {
    let mut cuts = vec![Cut::Before, Cut::During, Cut::After];
    cuts.extend((0..40).step_by(5).map(Cut::InReply));
    for stack in servers() {
        let plain = stack.redis();
        Loud::log(key("warm")).append(&plain, &Loud { text: Some("x".into()) }).await?;
        Event::log(key("warm")).append_with(&plain, [&paid(1)], &AppendOptions::new().once("x")).await?;
        let short = Duration::from_millis(1);
        for &at in &cuts {
            for window in [None, Some(short)] {
                // Even if the key is forgotten between two attempts, the client's own nonce is not.
                let log = Event::log(key("lost"));
                let (redis, sent) = cut(stack, &[Cut::Before, at, at]);
                let options = AppendOptions::new().once("k");
                let options = if let Some(window) = window { options.once_for(window) } else { options };
                let ids = log.append_with(&redis, [&paid(1), &paid(2)], &options).await?;
                assert!(sent.load(Ordering::SeqCst) >= 4);
                let stored: Vec<_> = log.range(&plain, .., 10).await?.iter().map(|entry| entry.id).collect();
                assert_eq!(stored, ids, "{at:?} {window:?}");
            }
            let log = Event::log(key("lost"));
            let (redis, _) = cut(stack, &[at, at]);
            let pipeline = redis.pipeline();
            let pipeline = log.append_with(pipeline, [&paid(1)], &AppendOptions::new().once("k"));
            let (ids, length) = log.len(pipeline).exec().await?;
            assert_eq!((ids.len(), length), (1, 1), "a pipeline of what can be repeated is repeated, {at:?}");

            let log = Loud::log(key("lost"));
            let (redis, _) = cut(stack, &[at, at]);
            let id = log.append(&redis, &Loud { text: Some("x".into()) }).await?;
            let stored: Vec<_> = log.range(&plain, .., 10).await?.iter().map(|entry| entry.id).collect();
            assert_eq!(stored, [id], "{at:?}");
        }
        // A plain XADD is not repeated, unless it is asked to be exactly once.
        let log = Event::log(key("lost"));
        let (redis, _) = cut(stack, &[Cut::After]);
        let error = log.append(&redis, &paid(1)).await.unwrap_err();
        assert!(error.may_have_executed());
        let (redis, _) = cut(stack, &[Cut::After]);
        log.append(&redis, &paid(2)).exactly_once().await?;
        assert_eq!(log.len(&plain).await?, 2);
    }
    Ok(())
}

#[tokio::test]
async fn ids_of_the_caller_go_forward() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let log = Event::log(key("at"));
            let (five, nine) = (StreamId::new(5, 1), StreamId::new(9, 0));
            assert_eq!(log.append_at(redis, five, &paid(1)).await?, five);
            assert_eq!(log.append_at(redis, nine, &Event::Closed).await?, nine);
            for id in [five, nine] {
                let error = log.append_at(redis, id, &paid(1)).await.unwrap_err();
                assert!(error.is_conflict() && !error.may_have_executed(), "{error:?}");
                assert!(error.message().contains("use a greater id"), "{error}");
                assert_eq!((error.model(), error.key()), (Some("Event"), Some(log.key())));
            }
            // What was deleted counts too.
            assert_eq!(log.delete(redis, [nine]).await?, 1);
            assert!(log.append_at(redis, nine, &paid(1)).await.unwrap_err().is_conflict());
            let error = log.append_at(redis, StreamId::MIN, &paid(1)).await.unwrap_err();
            assert!(error.is_invalid_input(), "{error:?}");
            log.append_at(redis, StreamId::MAX, &Event::Closed).await?;
            let error = log.append(redis, &Event::Closed).await.unwrap_err();
            assert!(error.is_conflict() && error.message().contains("greatest possible id"), "{error:?}");
            assert_eq!(events(redis, &log).await?, [paid(1), Event::Closed]);

            // The same by a script.
            let loud = Loud::log(key("at"));
            let note = Loud { text: Some("x".into()) };
            assert_eq!(loud.append_at(redis, five, &note).await?, five);
            let error = loud.append_at(redis, five, &note).await.unwrap_err();
            assert!(error.is_conflict() && !error.may_have_executed(), "{error:?}");
            loud.append_at(redis, StreamId::MAX, &note).await?;
            assert!(loud.append(redis, &note).await.unwrap_err().is_conflict());
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_appended_is_refused_before_it_is_sent() -> Result<()> {
    let (nothing, note) = (Note { text: None }, Note { text: Some("x".into()) });
    let log = Note::log(1);
    let once = || AppendOptions::new().once("k");
    let refused = |options: AppendOptions| log.append_with(Build, [&note], &options).validate().unwrap_err();
    for error in [
        log.append(Build, &nothing).validate().unwrap_err(),
        log.append_many(Build, [&note, &nothing]).validate().unwrap_err(),
        log.append_with(Build, [&note, &nothing], &once()).validate().unwrap_err(),
        Loud::log(1).append(Build, &Loud { text: None }).validate().unwrap_err(),
    ] {
        assert!(error.is_invalid_input() && error.message().contains("cannot be empty"), "{error:?}");
    }
    let none: [&Note; 0] = [];
    for error in [
        log.append_many(Build, none).validate().unwrap_err(),
        log.append_with(Build, none, &once()).validate().unwrap_err(),
        refused(AppendOptions::new().once("")),
        refused(AppendOptions::new().once("x".repeat(33_000))),
        refused(AppendOptions::new().once_for(Duration::from_secs(1))),
        refused(once().once_for(Duration::ZERO)),
        refused(once().once_for(Duration::MAX)),
        refused(once().retention(Retention::new().max_len(u64::MAX))),
        refused(AppendOptions::new().retention(Retention::new().max_len(0))),
        refused(AppendOptions::new().retention(Retention::new().max_age(Duration::ZERO))),
        Note::log("a:b").append(Build, &note).validate().unwrap_err(),
        Note::log("").append_with(Build, [&note], &once()).validate().unwrap_err(),
    ] {
        assert!(error.is_invalid_input(), "{error:?}");
        assert!(error.key().is_some(), "{error:?}");
    }
    Ok(())
}

/// Of two events, one has an id left. A script looks first. A transaction cannot, and the error does not deny the first.
#[tokio::test]
async fn events_that_do_not_all_fit_are_refused_by_a_script() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let last = StreamId::new(u64::MAX, u64::MAX - 1);
            let (loud, note) = (Loud::log(key("end")), Loud { text: Some("x".into()) });
            loud.append_at(redis, last, &note).await?;
            let error = loud.append_many(redis, [&note, &note]).await.unwrap_err();
            assert!(error.is_conflict() && !error.may_have_executed(), "{error:?}");
            assert_eq!(loud.len(redis).await?, 1);
            assert_eq!(loud.append_many(redis, [&note]).await?, [StreamId::MAX]);
            assert!(loud.append(redis, &note).await.unwrap_err().is_conflict());

            let log = Event::log(key("end"));
            log.append_at(redis, last, &paid(0)).await?;
            let once = AppendOptions::new().once("k");
            let error = log.append_with(redis, [&paid(1), &paid(2)], &once).await.unwrap_err();
            assert!(error.is_conflict() && log.len(redis).await? == 1, "{error:?}");
            let error = log.append_many(redis, [&paid(1), &paid(2)]).await.unwrap_err();
            assert!(error.is_conflict() && !error.message().contains("Nothing"), "{error:?}");
        }
    }
    Ok(())
}

/// Sixteen tasks append the same two events under one key, over a network that loses every fifth request and reply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_race_under_a_key_append_once() -> Result<()> {
    for stack in servers() {
        let chaotic = stack.builder().wrap_transport(|inner| Chaos::new(inner, 7, 200, Duration::from_millis(1)));
        let chaotic = chaotic.build()?;
        let (note, once) = (Loud { text: Some("x".into()) }, AppendOptions::new().once("k"));
        for _ in 0..6 {
            let log = Loud::log(key("race"));
            let tasks = (0..16).map(|_| {
                let (redis, log, note, once) = (chaotic.clone(), log.clone(), note.clone(), once.clone());
                tokio::spawn(async move {
                    loop {
                        match log.append_with(&redis, [&note, &note], &once).await {
                            Ok(ids) => return ids,
                            Err(error) => assert!(!error.is_conflict(), "{error:?}"),
                        }
                    }
                })
            });
            let stored = async || -> Result<Vec<StreamId>> {
                Ok(log.range(&stack.redis(), .., 10).await?.iter().map(|entry| entry.id).collect())
            };
            for task in tasks.collect::<Vec<_>>() {
                assert_eq!(task.await.unwrap(), stored().await?);
            }
            assert_eq!(stored().await?.len(), 2);
        }
    }
    Ok(())
}

/// Keys of logs, and those of `once`, of commits and of snapshots beside them, are any text.
#[tokio::test]
async fn names_are_any_text() -> Result<()> {
    for stack in servers() {
        for encoding in ENCODINGS {
            let redis = stack.builder().encoding(encoding).build()?;
            for name in [" ", "a b", "\0", "a\nb\r\n", "\u{e9}\u{2028}", "{x}", "*", "$", ">", "%", "\"'\\"] {
                let log = Event::log(format!("{}{name}", key("names")));
                let id = log.append(&redis, &Event::Paid { cents: 1, note: Some(name.into()) }).await?;
                let once = AppendOptions::new().once(name);
                let first = log.append_with(&redis, [&paid(2)], &once).await?;
                assert_eq!(log.append_with(&redis, [&paid(2)], &once).await?, first, "{encoding:?} {name:?}");
                let done = redis_model::Unit::new().append(&log, &paid(3)).commit(&redis).await?;
                let ids: Vec<_> = log.range(&redis, .., 10).await?.iter().map(|entry| entry.id).collect();
                assert_eq!(ids, [id, first[0], done.ids(0)[0]], "{encoding:?} {name:?}");
                let entry = log.get(&redis, id).await?.unwrap();
                assert_eq!(entry.event?, Event::Paid { cents: 1, note: Some(name.into()) });

                let versioned = Decided::log(format!("{}{name}", key("versions"))).versioned();
                let first = versioned.append_as(&redis, name, Expected::Any, [&Decided { cents: 1 }]).await?;
                let again = versioned.append_as(&redis, name, Expected::Any, [&Decided { cents: 1 }]).await?;
                assert_eq!(again, first, "{name:?}");
            }
        }
    }
    Ok(())
}

/// Calls every method that sends something.
async fn every_call(redis: &Via, log: &Log<Event>) -> Vec<redis_model::Error> {
    let id = StreamId::new(1, 1);
    let once = AppendOptions::new().once("k");
    let age = Retention::new().max_age(Duration::from_secs(1));
    let outcomes = [
        log.append(redis, &Event::Closed).await.map(drop),
        log.append_at(redis, id, &Event::Closed).await.map(drop),
        log.append_many(redis, &[Event::Closed, Event::Closed]).await.map(drop),
        log.append_with(redis, [&Event::Closed], &once).await.map(drop),
        log.range(redis, .., 1).await.map(drop),
        log.range_rev(redis, .., 1).await.map(drop),
        log.last(redis, 1).await.map(drop),
        log.after(redis, id, 1).await.map(drop),
        log.get(redis, id).await.map(drop),
        log.len(redis).await.map(drop),
        log.info(redis).await.map(drop),
        log.trim(redis, Retention::new().max_len(1)).await.map(drop),
        log.trim(redis, age).await.map(drop),
        log.delete(redis, [id]).await.map(drop),
    ];
    outcomes.into_iter().filter_map(Result::err).collect()
}

#[tokio::test]
async fn a_key_of_another_type_is_an_error_that_says_what_to_do() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let log = Event::log(key("type"));
            redis.set(log.key(), "text").await?;
            let errors = every_call(redis, &log).await;
            assert_eq!(errors.len(), 14);
            for error in errors {
                assert!(error.is_wrong_type() && error.message().contains("use another prefix"), "{error:?}");
                assert_eq!((error.model(), error.key()), (Some("Event"), Some(log.key())));
            }
            assert_eq!(redis.get::<String>(log.key()).await?.as_deref(), Some("text"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_event_over_the_limit_of_requests_says_what_to_do() -> Result<()> {
    let stack = redis_model_tests::stack();
    let gateway =
        redis_rest_gateway::Gateway::over(stack.server.url()).max_request_bytes(10_000).start().await.unwrap();
    let redis = Redis::builder(gateway.url(), gateway.token()).build()?;
    let log = Event::log(key("large"));
    let large = Event::Paid { cents: 1, note: Some("x".repeat(20_000)) };
    for error in [
        log.append(&redis, &large).await.unwrap_err(),
        log.append_with(&redis, [&large], &AppendOptions::new().once("k")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
        assert!(error.message().contains("keep large values under keys of their own"), "{error}");
        assert!(!error.may_have_executed());
    }
    assert!(!log.exists(&redis).await?);
    Ok(())
}

#[tokio::test]
async fn appends_are_generic_over_clients() -> Result<()> {
    async fn append<C: Client>(client: C, log: &Log<Event>) -> Result<Vec<StreamId>> {
        C::resolve(log.append_with(client, [&Event::Closed], &AppendOptions::new().once("k"))).await
    }
    let stack = redis_model_tests::stack();
    let log = Event::log(key("generic"));
    assert_eq!(append(&stack.redis(), &log).await?, append(&stack.redis(), &log).await?);
    Ok(())
}
