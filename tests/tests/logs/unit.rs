//! Events in units of work: together with the records, or not at all.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::redis_rest::subscribe::SubscriptionEvent;
use redis_model::redis_rest::{Build, RetryPolicy};
use redis_model::{Committed, ErrorKind, Log, Unit, Worker};
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::via::everywhere_over;
use redis_model_tests::{Stack, key, own_stack};

use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "unit-events", max_len = 3, exact)]
enum Event {
    Placed { cents: i64 },
    Noted { note: Option<String> },
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "unit-loud", publish, max_age = "1h")]
struct Loud {
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "unit-versions", versioned)]
struct Versioned {
    cents: i64,
}

/// A plain record under the prefix of the events, too: their keys can meet.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "unit-events")]
struct Plain {
    #[redis(id)]
    id: String,
    cents: i64,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "unit-order")]
struct Order {
    #[redis(id)]
    id: String,
    #[redis(unique)]
    number: String,
    cents: i64,
}

fn order() -> Order {
    let id = key("order");
    Order { number: format!("number of {id}"), id, cents: 5 }
}

fn placed(cents: i64) -> Event {
    Event::Placed { cents }
}

fn cut(stack: &Stack, cuts: &[Cut]) -> Redis {
    let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(2));
    let cuts = cuts.to_vec();
    let builder = stack.builder().retry(policy);
    builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::new(AtomicU32::new(0)))).build().unwrap()
}

async fn events(redis: &Redis, log: &Log<Event>) -> Result<Vec<Event>> {
    log.range(redis, .., 1000).await?.into_iter().map(|entry| entry.event).collect()
}

#[test]
fn an_append_is_an_operation_of_the_script() -> Result<()> {
    let record = Plain { id: "9".into(), cents: 7 };
    let unit = Unit::new().save(&record).append_many(&Event::log(1), [&placed(7), &placed(8)]);
    let unit = unit.append(&Loud::log(2), &Loud { note: Some("x".into()) }).commit(Build);
    unit.validate()?;
    let args: Vec<_> = unit.args().iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
    // The client adds the key of the outcome when it sends the command.
    assert_eq!(args[2..6], ["3", "unit-events:9", "unit-events:1", "unit-loud:2"]);
    let rest = args[6..].join(" ");
    assert_eq!(
        rest,
        "0 all 3 34118050 Plain 0 ad8919ac Event 0 45a29397 Loud 0 \
             3 put 1 1 9 save keep    4 id 9 cents 7 0 \
             append 2 1 1 0 = 3   2 4 event Placed cents 7 4 event Placed cents 8 \
             append 3 1 2 1 ~   3600000 1 2 note x"
    );
    Ok(())
}

#[tokio::test]
async fn records_and_events_are_written_together() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let (order, log, other) = (order(), Event::log(key("log")), Event::log(key("other")));
            let unit = Unit::new()
                .append(&other, &placed(1))
                .insert(&order)
                .append_many(&log, [&placed(1), &placed(2)])
                .patch(Order::patch(&key("absent")).set(Order::CENTS, 1))
                .append(&log, &placed(3));
            let error = unit.commit(redis).await.unwrap_err();
            assert!(error.is_not_found() && error.operation() == Some(3), "{error:?}");
            assert_eq!((log.exists(redis).await?, other.exists(redis).await?), (false, false));
            assert!(!Order::exists(redis, &order.id).await?);

            let unit =
                Unit::new().append(&other, &placed(0)).insert(&order).append_many(&log, [&placed(1), &placed(2)]);
            let unit = unit.append(&log, &placed(3)).append(&log, &placed(4));
            let done: Committed = unit.commit(redis).await?;
            assert_eq!((done.len(), done.created(1), done.ids(1)), (5, true, &[][..]));
            let ids: Vec<_> = [2, 3, 4].iter().flat_map(|at| done.ids(*at).to_vec()).collect();
            // The order is that of the calls, and the log keeps what its model says.
            let entries = log.range(redis, .., 10).await?;
            assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids[1..]);
            let stored: Result<Vec<_>> = entries.into_iter().map(|entry| entry.event).collect();
            assert_eq!(stored?, [placed(2), placed(3), placed(4)]);
            assert_eq!(other.len(redis).await?, 1);
            assert_eq!(Order::load(redis, &order.id).await?, Some(order));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_unit_of_events_alone_publishes() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let log = Loud::log(key("alone"));
        let mut feed = redis.subscribe([log.key()]);
        assert!(matches!(feed.next().await.unwrap()?, SubscriptionEvent::Subscribed { .. }));
        let note = Loud { note: Some("x".into()) };
        let done = Unit::new().append_many(&log, [&note, &note]).commit(&redis).await?;
        let SubscriptionEvent::Message(message) = feed.next().await.unwrap()? else { panic!("a message") };
        assert_eq!(message.text()?, done.ids(0)[1].to_string());
        // In a pipeline and in a transaction, beside other commands.
        for executor in [redis.pipeline(), redis.transaction()] {
            let (done, length) = log.len(Unit::new().append(&log, &note).commit(executor)).exec().await?;
            assert!(done.ids(0).len() == 1 && length > 2);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_log_that_refuses_does_so_before_anything_is_written() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let (order, good, text, full) =
            (order(), Event::log(key("good")), Event::log(key("text")), Event::log(key("full")));
        redis.set(text.key(), "x").await?;
        full.append_at(&redis, StreamId::new(u64::MAX, u64::MAX - 2), &placed(0)).await?;
        let unit = || Unit::new().insert(&order).append(&good, &placed(1));

        let error = unit().append(&text, &placed(1)).commit(&redis).await.unwrap_err();
        assert!(error.is_wrong_type() && !error.may_have_executed(), "{error:?}");
        assert_eq!((error.operation(), error.model(), error.key()), (Some(2), Some("Event"), Some(text.key())));
        // Two entries fit, but not three, in one append or in several.
        let error = unit().append_many(&full, [&placed(1), &placed(2), &placed(3)]).commit(&redis).await.unwrap_err();
        assert!(error.is_conflict() && error.message().contains("greatest possible id"), "{error:?}");
        let two = unit().append_many(&full, [&placed(1), &placed(2)]);
        let error = two.clone().append(&full, &placed(3)).commit(&redis).await.unwrap_err();
        assert_eq!((error.kind(), error.operation(), error.key()), (ErrorKind::Conflict, Some(3), Some(full.key())));
        assert_eq!((good.exists(&redis).await?, Order::exists(&redis, &order.id).await?), (false, false));

        let done = two.commit(&redis).await?;
        assert_eq!(done.ids(2)[1], StreamId::MAX);
    }
    Ok(())
}

#[test]
fn what_cannot_be_appended_is_refused_before_it_is_sent() {
    let (log, none): (_, [&Event; 0]) = (Event::log(1), []);
    let record = Plain { id: "1".into(), cents: 7 };
    for (unit, why) in [
        (Unit::new().append_many(&log, none), "at least one event"),
        (Unit::new().append(&Loud::log(1), &Loud { note: None }), "cannot be empty"),
        (Unit::new().append(&Versioned::log(1), &Versioned { cents: 1 }), "cannot be part of a unit of work"),
        (Unit::new().append(&Event::log("a:b"), &placed(1)), "separates the parts of a key"),
        (Unit::new().append(&Event::log("x".repeat(33_000)), &placed(1)), "32 KB"),
        (Unit::new().append(&log, &placed(1)).save(&record), "write the same record"),
        (Unit::new().save(&record).append(&log, &placed(1)), "write the same record"),
    ] {
        let error = unit.commit(Build).validate().unwrap_err();
        assert!(error.is_invalid_input() && error.message().contains(why), "{why}: {error:?}");
        assert!(error.key().is_some() && error.model().is_some(), "{error:?}");
    }
    assert!(Unit::new().append(&log, &placed(1)).append(&log, &placed(1)).commit(Build).validate().is_ok());
}

/// A token that may not ask for facts of streams appends all the same.
#[tokio::test]
async fn a_user_without_xinfo_appends() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    redis.execute::<()>(["ACL", "SETUSER", "default", "-xinfo"]).await?;
    let (log, loud, note) = (Event::log(key("denied")), Loud::log(key("denied")), Loud { note: Some("x".into()) });
    let done = Unit::new().insert(&order()).append(&log, &placed(1)).commit(&redis).await?;
    assert_eq!((done.ids(1).len(), loud.append_many(&redis, [&note, &note]).await?.len()), (1, 2));
    Ok(())
}

#[tokio::test]
async fn a_unit_over_the_limit_of_requests_writes_nothing() -> Result<()> {
    let stack = redis_model_tests::stack();
    let gateway =
        redis_rest_gateway::Gateway::over(stack.server.url()).max_request_bytes(60_000).start().await.unwrap();
    let redis = Redis::builder(gateway.url(), gateway.token()).build()?;
    let (order, log) = (order(), Loud::log(key("large")));
    let large = Loud { note: Some("x".repeat(60_000)) };
    let error = Unit::new().insert(&order).append(&log, &large).commit(&redis).await.unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge && !error.may_have_executed(), "{error:?}");
    assert_eq!((log.exists(&redis).await?, Order::exists(&redis, &order.id).await?), (false, false));
    Ok(())
}

#[tokio::test]
async fn a_lost_reply_appends_nothing_twice() -> Result<()> {
    for stack in servers() {
        let plain = stack.redis();
        // So that the script is known.
        Unit::new().insert(&order()).append(&Event::log(key("warm")), &placed(1)).commit(&plain).await?;
        for at in [Cut::Before, Cut::During, Cut::After, Cut::InReply(3)] {
            let (order, log) = (order(), Event::log(key("lost")));
            let redis = cut(stack, &[Cut::Nowhere, Cut::Nowhere, at, at]);
            Unit::new().append(&Event::log(key("warm")), &placed(1)).commit(&redis).await?;
            let done = Unit::new().insert(&order).append(&log, &placed(1)).commit(&redis).await?;
            assert!(done.created(0), "{at:?}");
            let stored: Vec<_> = log.range(&plain, .., 10).await?.iter().map(|entry| entry.id).collect();
            assert_eq!(stored, done.ids(1), "{at:?}");
        }
    }
    Ok(())
}

/// The indexes do not know a record of another program: the unit is sent again, and appends once.
#[tokio::test]
async fn a_unit_that_recovers_appends_once() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let (known, foreign, log) = (order(), order(), Event::log(key("recovers")));
        known.insert(&redis).await?;
        let fields = [("id", foreign.id.as_str()), ("number", &foreign.number), ("cents", "5")];
        redis.hset(format!("unit-order:{}", foreign.id), fields).await?;
        let patch = Order::patch(&foreign.id).set(Order::CENTS, 9);
        let done = Unit::new().append(&log, &placed(1)).patch(patch).append(&log, &placed(2)).commit(&redis).await?;
        assert_eq!((done.ids(0).len(), done.ids(2).len()), (1, 1));
        assert_eq!(events(&redis, &log).await?, [placed(1), placed(2)]);
        assert_eq!(Order::load(&redis, &foreign.id).await?.unwrap().cents, 9);
    }
    Ok(())
}

/// An event makes the next one: in a projection and in a worker, exactly once.
#[tokio::test]
async fn projections_and_workers_append() -> Result<()> {
    for stack in servers() {
        let redis = stack.redis();
        let (log, next) = (Event::log(key("first")), Event::log(key("next")));
        log.append_many(&redis, [&placed(1), &placed(2)]).await?;
        let projection = log.projection(&key("view"));
        for _ in 0..2 {
            let next = next.clone();
            projection.catch_up(&redis, move |unit, entry| Ok(unit.append(&next, &entry.event))).await?;
        }
        assert_eq!(events(&redis, &next).await?, [placed(1), placed(2)]);

        let (group, loud) = (log.group("g"), Loud::log(key("loud")));
        let worker = Worker::new(group.clone(), "w").poll(Duration::from_millis(1), Duration::from_millis(5));
        let counters = worker.counters();
        let stop = async {
            while counters.read().handled < 2 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        worker
            .run_exactly_until(&redis, stop, async |delivered| {
                let note = Loud { note: Some(format!("{:?}", delivered.event)) };
                Ok::<_, redis_model::Error>(Unit::new().append(&loud, &note))
            })
            .await?;
        assert_eq!((loud.len(&redis).await?, group.pending(&redis).await?.count), (2, 0));
    }
    Ok(())
}
