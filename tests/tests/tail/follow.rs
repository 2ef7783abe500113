//! Projections that follow a log: they wait as tails do, and what they write counts once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use redis_model::prelude::*;
use redis_model::stream::{CaughtUp, ProjectionNotice};
use redis_model::{Entry, Error, ErrorKind, Log, Projection, Unit};
use redis_model_tests::key;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::switch::Switch;
use crate::{Quiet, SOON, Tick, append, servers};

/// The view: one record, which counts.
#[derive(Debug, Default, PartialEq, RedisModel)]
#[redis(prefix = "followed")]
struct Followed {
    #[redis(id)]
    id: String,
    events: u64,
    sum: u64,
}

/// Counts a number. Twice would be seen.
fn count(id: &str) -> impl Fn(Unit, u64) -> Unit + Clone + use<> {
    let id = id.to_owned();
    move |unit, number| unit.patch(Followed::patch(&id).incr(Followed::EVENTS, 1).incr(Followed::SUM, number))
}

async fn prepared(redis: &Redis, name: &str) -> Result<String> {
    let id = key(name);
    Followed { id: id.clone(), ..Followed::default() }.insert(redis).await?;
    Ok(id)
}

/// Waits until the view has so many events, and returns their sum.
async fn sum(redis: &Redis, id: &str, events: u64) -> Result<u64> {
    let has_all = async {
        loop {
            let view = Followed::load(redis, id).await?.unwrap();
            if view.events >= events {
                assert_eq!(view.events, events);
                return Ok(view.sum);
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, has_all).await.unwrap()
}

#[tokio::test]
async fn what_is_there_and_what_is_added_counts_once() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        // A model that publishes, and one that does not.
        let (loud, quiet) = (Tick::log(key("loud")), Quiet::log(key("quiet")));
        let id = prepared(&redis, "both").await?;
        append(&redis, &loud, 0..700).await?;
        let add = count(&id);
        let (of_loud, of_quiet) = (loud.projection(&id), quiet.projection(&id));
        let follow_loud = of_loud.follow(&redis, async |unit, entry: Entry<Tick>| Ok(add(unit, entry.event.number)));
        let follow_quiet = of_quiet.follow(&redis, async |unit, entry: Entry<Quiet>| Ok(add(unit, entry.event.number)));
        let appends = async {
            let history = (0..700).sum::<u64>();
            assert_eq!(sum(&redis, &id, 700).await?, history);
            append(&redis, &loud, [1000]).await?;
            quiet.append(&redis, &Quiet { number: 10_000 }).await?;
            assert_eq!(sum(&redis, &id, 702).await?, history + 11_000, "{name}");
            for number in 0..20 {
                append(&redis, &loud, [number]).await?;
            }
            assert_eq!(sum(&redis, &id, 722).await?, history + 11_190, "{name}");
            Result::Ok(())
        };
        tokio::select! {
            result = follow_loud => panic!("{name}: {result:?}"),
            result = follow_quiet => panic!("{name}: {result:?}"),
            result = appends => result?,
        }
    }
    Ok(())
}

fn projection(log: &Log<Tick>, id: &str) -> Projection<Tick> {
    log.projection(id).polling(redis_model::stream::Polling::default().min(std::time::Duration::from_millis(10)))
}

/// The first program ends, the second goes on where it was, and a third runs beside it.
#[tokio::test]
async fn programs_take_turns() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let log = Tick::log(key("turns"));
        let id = prepared(&redis, "turns").await?;
        let add = count(&id);
        let handler = async |unit, entry: Entry<Tick>| Ok(add(unit, entry.event.number));
        let projection = projection(&log, &id);
        for turn in 1..=3 {
            append(&redis, &log, 0..10).await?;
            let (stop, stopped) = oneshot::channel::<()>();
            let shutdown = async { drop(stopped.await) };
            let first = projection.follow_until(&redis, shutdown, &handler);
            let until = async {
                append(&redis, &log, [5]).await?;
                assert_eq!(sum(&redis, &id, 11 * turn).await?, 50 * turn, "{name}");
                drop(stop);
                Result::Ok(())
            };
            let beside = projection.follow(&redis, &handler);
            tokio::select! {
                result = beside => panic!("{name}: {result:?}"),
                results = async { tokio::try_join!(first, until) } => drop(results?),
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn failures_that_can_pass_are_repeated() -> Result<()> {
    for (name, stack) in servers() {
        let switch = Arc::new(Switch::default());
        let redis = stack.redis();
        let log = Tick::log(key("fails"));
        let id = prepared(&redis, "fails").await?;
        let ids = append(&redis, &log, 0..10).await?;
        let (add, calls) = (count(&id), AtomicU64::new(0));
        let handler = async |unit, entry: Entry<Tick>| match (entry.event.number, calls.fetch_add(1, Ordering::SeqCst))
        {
            (_, call) if call % 3 == 0 => Err(Error::new(ErrorKind::Timeout, "a record could not be loaded")),
            (9, _) => Err(Error::new(ErrorKind::NotFound, "no such customer")),
            (number, _) => Ok(add(unit, number)),
        };
        let notices = Arc::new(Mutex::new((CaughtUp::default(), Vec::new())));
        let seen = Arc::clone(&notices);
        let projection = projection(&log, &id).on_notice(move |notice| match notice {
            ProjectionNotice::Repeated { error } => seen.lock().unwrap().1.push(error.to_string()),
            ProjectionNotice::CaughtUp { done } => seen.lock().unwrap().0 = *done,
            _ => panic!("{notice:?}"),
        });
        // Without subscriptions, it polls.
        switch.set_down(true);
        let error = timeout(SOON, projection.follow(&switch.redis(&stack), handler)).await.unwrap().unwrap_err();
        {
            let notices = notices.lock().unwrap();
            assert_eq!(notices.0, CaughtUp::default(), "{name}: it was never up to date");
            assert!(notices.1.len() >= 4, "{name}: {notices:?}");
            assert!(notices.1.iter().all(|text| text.contains("a record could not be loaded")), "{name}: {notices:?}");
        }
        assert_eq!((error.kind(), error.key()), (ErrorKind::NotFound, Some(log.key())), "{name}: {error}");
        assert!(error.to_string().contains(&format!("entry {}", ids[9])), "{name}: {error}");
        assert_eq!(sum(&redis, &id, 9).await?, 36, "{name}");
    }
    Ok(())
}

/// What a handler of users returns: with the error of this crate, or without one.
#[derive(Debug)]
struct Wrapped(Option<Error>);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrapped")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_ref().map(|error| error as _)
    }
}

#[tokio::test]
async fn an_error_within_the_handlers_decides() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let log = Tick::log(key("within"));
        let id = prepared(&redis, "within").await?;
        append(&redis, &log, 0..2).await?;
        let notices = Arc::new(AtomicU64::new(0));
        let (seen, add, calls) = (Arc::clone(&notices), count(&id), AtomicU64::new(0));
        let projection = projection(&log, &id).handler_error::<Wrapped>().on_notice(move |notice| {
            if let ProjectionNotice::Repeated { error } = notice {
                assert!(error.to_string().contains("the handler has failed: wrapped"), "{error}");
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        let handler = async |unit, entry: Entry<Tick>| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Wrapped(Some(Error::new(ErrorKind::Timeout, "a record could not be loaded")))),
            1 => Err(Wrapped(Some(Error::new(ErrorKind::Redis, "LOADING Redis is loading the dataset")))),
            3 => Err(Wrapped(None)),
            _ => Ok(add(unit, entry.event.number)),
        };
        let error = timeout(SOON, projection.follow(&redis, handler)).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Handler, "{name}: {error}");
        assert_eq!([&calls, &notices].map(|number| number.load(Ordering::SeqCst)), [4, 2], "{name}");
        assert_eq!(sum(&redis, &id, 1).await?, 0, "{name}");
    }
    Ok(())
}

/// A server that is stopped is noticed without `tracing`, and so is its return.
#[tokio::test]
async fn a_server_that_is_down_is_noticed() -> Result<()> {
    let (_, stack) = servers().swap_remove(0);
    let redis = stack.redis();
    let log = Tick::log(key("down"));
    let id = prepared(&redis, "down").await?;
    append(&redis, &log, 0..3).await?;
    let (sender, mut notices) = tokio::sync::mpsc::unbounded_channel();
    let projection = projection(&log, &id).on_notice(move |notice| {
        let events = if let ProjectionNotice::CaughtUp { done } = notice { Some(done.events) } else { None };
        sender.send(events).unwrap();
    });
    let switch = Arc::new(Switch::default());
    let follower = switch.redis(&stack);
    let add = count(&id);
    let handler = async |unit, entry: Entry<Tick>| Ok(add(unit, entry.event.number));
    let watch = async {
        assert_eq!(notices.recv().await, Some(Some(3)));
        switch.set_stopped(true);
        assert_eq!(notices.recv().await, Some(None));
        append(&redis, &log, 0..2).await?;
        switch.set_stopped(false);
        while let Some(notice) = notices.recv().await {
            if notice.is_some() {
                assert_eq!(notice, Some(2));
                return Ok(());
            }
        }
        Result::Ok(())
    };
    tokio::select! {
        result = projection.follow(&follower, handler) => panic!("{result:?}"),
        result = timeout(SOON, watch) => result.unwrap()?,
    }
    Ok(())
}
