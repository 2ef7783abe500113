//! Projections: each event counts once in the view, whatever breaks.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis_model::commands::stream::{StreamId, Trim};
use redis_model::prelude::*;
use redis_model::stream::{CaughtUp, Expected, Sourced};
use redis_model::{Entry, Error, ErrorKind, Log, Projection, Unit};
use redis_model_tests::counting::{Counting, Seen};
use redis_model_tests::key;
use redis_model_tests::random::Random;

use crate::lossy::lossy;
use crate::{seed, servers};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "sale-events", category)]
struct Sale {
    customer: u64,
    cents: i64,
}

/// The view: what each customer has paid.
#[derive(Debug, Clone, Default, PartialEq, RedisModel)]
#[redis(prefix = "balance")]
struct Balance {
    #[redis(id)]
    id: String,
    #[redis(index)]
    cents: i64,
    events: u64,
}

/// A view with a record for each event.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "sale")]
struct SaleRecord {
    #[redis(id)]
    id: String,
    cents: i64,
}

/// An event of plain logs.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "receipt-events")]
struct Receipt {
    customer: u64,
    cents: i64,
}

fn receipt(customer: u64, cents: i64) -> Receipt {
    Receipt { customer, cents }
}

fn sale(customer: u64, cents: i64) -> Sale {
    Sale { customer, cents }
}

/// Counts each event in the balance of its customer.
async fn count(redis: &Redis, view: &str, unit: Unit, entry: Entry<Sourced<Sale>>) -> Result<Unit> {
    let Sale { customer, cents } = entry.event.event;
    let id = format!("{view}.{customer}");
    let mut balance = Balance::load(redis, &id).await?.unwrap_or(Balance { id, ..Balance::default() });
    balance.cents += cents;
    balance.events += 1;
    Ok(unit.save(&balance))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_equals_a_replay_whatever_breaks() -> Result<()> {
    let seed = seed();
    for (name, stack) in servers() {
        let redis = stack.redis();
        let view = key("view");
        let is_over = Arc::new(AtomicBool::new(false));
        let runners = (0..3).map(|runner| {
            let (redis, view, is_over) = (lossy(stack, seed + runner, 15), view.clone(), Arc::clone(&is_over));
            tokio::spawn(async move {
                let random = Random::new(seed ^ (runner << 20));
                let count = async |unit, entry| count(&redis, &view, unit, entry).await;
                let mut total = CaughtUp::default();
                while !is_over.load(Ordering::SeqCst) {
                    let projection = Sale::category().projection(&view).batch(1);
                    // One of them follows the log. The others read what there is, now and then.
                    if runner == 1 {
                        let limit = Duration::from_millis(10 + random.below(1500));
                        let follows = projection.follow(&redis, &count);
                        assert!(tokio::time::timeout(limit, follows).await.is_err(), "a failure that can pass ends it");
                        continue;
                    }
                    let run = projection.catch_up_async(&redis, &count);
                    // Killed anywhere, and started again. One of them lives on.
                    let limit = if runner == 0 { 60_000 } else { 10 + random.below(800) };
                    match tokio::time::timeout(Duration::from_millis(limit), run).await {
                        Err(_) => {}
                        Ok(Ok(caught_up)) => {
                            total.events += caught_up.events;
                            total.conflicts += caught_up.conflicts;
                            tokio::time::sleep(Duration::from_millis(random.below(20))).await;
                        }
                        Ok(Err(error)) => panic!("{error:?}"),
                    }
                }
                total
            })
        });
        let runners: Vec<_> = runners.collect();
        let writers = (0..4).map(|writer| {
            let redis = lossy(stack, seed + 100 + writer, 15);
            let name = key("sales");
            tokio::spawn(async move {
                let log = Sale::log(name).versioned();
                for event in 0..40 {
                    log.append(&redis, Expected::Any, &[sale(event % 3, 1), sale(event % 2, 10)]).await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(2000)).await;
        is_over.store(true, Ordering::SeqCst);
        let mut conflicts = 0;
        for runner in runners {
            let total = runner.await.unwrap();
            println!("{name}: {total:?}");
            conflicts += total.conflicts;
        }
        assert!(conflicts > 0, "{name}: the programs were never in each other's way");
        // What is delivered late.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let projection = Sale::category().projection(&view);
        let count = async |unit, entry| count(&redis, &view, unit, entry).await;
        let rest = projection.catch_up_async(&redis, count).await?;
        println!("{name}: {} events left for the last run", rest.events);
        let again =
            projection.catch_up(&redis, |_, _| Err(Error::new(ErrorKind::InvalidInput, "nothing is left"))).await?;
        assert_eq!(again, CaughtUp::default());

        let mut replayed = BTreeMap::<u64, Balance>::new();
        for entry in Sale::category().entries(&redis, ..).collect().await? {
            let Sale { customer, cents } = entry.event?.event;
            let balance =
                replayed.entry(customer).or_insert(Balance { id: format!("{view}.{customer}"), ..Balance::default() });
            balance.cents += cents;
            balance.events += 1;
        }
        assert_eq!(replayed.values().map(|balance| balance.events).sum::<u64>(), 320, "{name}");
        for balance in replayed.values() {
            assert_eq!(Balance::load(&redis, &balance.id).await?.as_ref(), Some(balance), "{name}");
        }
    }
    Ok(())
}

fn records(log: &Log<Receipt>) -> Projection<Receipt> {
    log.projection(&key("records"))
}

/// One record for each event.
fn record(name: &str) -> impl FnMut(Unit, Entry<Receipt>) -> Result<Unit> + Send + use<> {
    let name = name.to_owned();
    move |unit, entry| Ok(unit.insert(&SaleRecord { id: format!("{name}.{}", entry.id), cents: entry.event.cents }))
}

#[tokio::test]
async fn requests_are_few() -> Result<()> {
    for (_, stack) in servers() {
        let seen = Seen::default();
        let counter = seen.clone();
        let redis = stack.builder().wrap_transport(move |inner| Counting::new(inner, counter.clone())).build()?;
        let log = Receipt::log(key("costs"));
        log.append_many(&redis, &vec![receipt(1, 1); 1001]).await?;
        let projection = records(&log).batch(100);
        let caught_up = projection.catch_up(&redis, record(log.key().rsplit(':').next().unwrap())).await?;
        assert_eq!((caught_up.events, caught_up.conflicts), (1001, 0));
        log.append(&redis, &receipt(1, 1)).await?;
        projection.catch_up(&redis, |unit, _| Ok(unit)).await?;
        seen.take();
        projection.catch_up(&redis, |unit, _| Ok(unit)).await?;
        assert_eq!(seen.take().len(), 2);
        log.append_many(&redis, &vec![receipt(1, 1); 499]).await?;
        seen.take();
        // The position, one page, and one commit: nothing is written but the position.
        assert_eq!(projection.catch_up(&redis, |unit, _| Ok(unit)).await?.events, 499);
        assert_eq!(seen.take().len(), 3);
    }
    Ok(())
}

#[tokio::test]
async fn a_batch_that_writes_a_record_twice_is_divided() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Receipt::log(key("divide"));
        let sales: Vec<_> = (0..20).map(|number| receipt(number % 4, 1)).collect();
        log.append_many(&redis, &sales).await?;
        let view = key("divide");
        // The handler does not read the view: the last sale of a customer counts.
        let id = view.clone();
        let last = move |unit: Unit, entry: Entry<Receipt>| {
            let id = format!("{id}.{}", entry.event.customer);
            Ok(unit.save(&SaleRecord { id, cents: i64::try_from(entry.event.customer).unwrap() }))
        };
        assert_eq!(records(&log).batch(8).catch_up(&redis, last).await?.events, 20);
        for customer in 0..4 {
            assert_eq!(SaleRecord::load(&redis, &format!("{view}.{customer}")).await?.unwrap().cents, customer);
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_unreadable_entry_stops_or_is_recorded() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        for batch in [1, 10] {
            let log = Receipt::log(key("odd"));
            let name = log.key().rsplit(':').next().unwrap().to_owned();
            log.append(&redis, &receipt(1, 1)).await?;
            let odd = redis.xadd(log.key(), [("customer", "ada"), ("cents", "1")]).await?;
            log.append(&redis, &receipt(1, 2)).await?;
            let projection = records(&log).batch(batch);
            for _ in 0..2 {
                let error = projection.catch_up(&redis, record(&name)).await.unwrap_err();
                assert!(error.is_decode() && error.to_string().contains(&format!("entry {odd}")), "{error}");
                assert_eq!((error.key(), error.field()), (Some(log.key()), Some("customer")));
            }
            let skipping = projection.clone().skip_unreadable();
            let caught_up = skipping.catch_up(&redis, record(&name)).await?;
            assert_eq!((caught_up.events, caught_up.skipped), (1, 1));
            let skipped = skipping.skipped(&redis).await?;
            assert_eq!((skipped.len(), skipped[0].id, skipped[0].key.as_str()), (1, odd, log.key()));
            assert!(skipped[0].why.contains("customer"), "{skipped:?}");
            assert_eq!(skipping.catch_up(&redis, record(&name)).await?, CaughtUp::default());
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_failing_handler_stops_before_its_event() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Receipt::log(key("handler"));
        let name = log.key().rsplit(':').next().unwrap().to_owned();
        let ids = log.append_many(&redis, &[receipt(1, 1), receipt(2, 2), receipt(3, 3)]).await?;
        let projection = records(&log);
        let fails = move |unit: Unit, entry: Entry<Receipt>| match entry.event.cents {
            2 => Err(Error::new(ErrorKind::Conflict, "not now")),
            _ => Ok(unit),
        };
        let error = projection.catch_up(&redis, fails).await.unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::Conflict, Some(log.key())));
        assert!(error.to_string().contains(&format!("entry {}", ids[1])), "{error}");
        let source = error.source().and_then(|source| source.downcast_ref::<Error>());
        assert_eq!(source.map(Error::message), Some("not now"));
        // A write that is refused names its position in the unit of the handler.
        let taken = SaleRecord { id: format!("{name}.taken"), cents: 0 };
        taken.insert(&redis).await?;
        let id = taken.id.clone();
        let refused = move |unit: Unit, entry: Entry<Receipt>| {
            let free = SaleRecord { id: format!("{id}.{}", entry.id), cents: 0 };
            Ok(unit.insert(&free).insert(&SaleRecord { id: id.clone(), cents: 1 }))
        };
        let error = projection.catch_up(&redis, refused).await.unwrap_err();
        assert!(error.is_already_exists() && error.operation() == Some(1), "{error:?}");
        assert!(error.to_string().contains(&format!("entry {} of {}", ids[0], log.key())), "{error}");
        assert_eq!(error.key(), Some(format!("sale:{}", taken.id).as_str()));
        assert_eq!(projection.catch_up(&redis, record(&name)).await?.events, 3);
        // A position that others have changed.
        log.append(&redis, &receipt(1, 1)).await?;
        redis.hset(projection.key(), [(log.key(), "what")]).await?;
        assert!(projection.catch_up(&redis, record(&name)).await.unwrap_err().is_decode());
        assert!(log.projection("a:b").catch_up(&redis, record(&name)).await.unwrap_err().is_invalid_input());
    }
    Ok(())
}

/// An error as thiserror writes it.
#[derive(Debug, PartialEq)]
enum ViewError {
    Negative(i64),
    Redis(ErrorKind),
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no such payment: {self:?}")
    }
}

impl StdError for ViewError {}

impl From<Error> for ViewError {
    fn from(error: Error) -> Self {
        ViewError::Redis(error.kind())
    }
}

type AnyError = Box<dyn StdError + Send + Sync>;

fn checked(unit: Unit, entry: &Entry<Receipt>) -> Result<Unit, ViewError> {
    if entry.event.cents < 0 { Err(ViewError::Negative(entry.event.cents)) } else { Ok(unit) }
}

#[tokio::test]
async fn a_handler_has_an_error_of_its_own() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let log = Receipt::log(key("own"));
        let ids = log.append_many(&redis, &[receipt(1, 1), receipt(2, -2)]).await?;
        let is_named = |error: &Error, text: &str| {
            let entry = format!("entry {}", ids[1]);
            assert_eq!((error.kind(), error.key()), (ErrorKind::Handler, Some(log.key())), "{name}: {error}");
            assert!(error.to_string().contains(&entry) && error.to_string().contains(text), "{name}: {error}");
            assert!(!error.is_transient() && !error.to_string().contains("nothing was sent"), "{name}: {error}");
        };
        // A type of its own, whatever reads the log.
        let own = records(&log).handler_error::<ViewError>();
        let errors = [
            own.catch_up(&redis, |unit, entry| checked(unit, &entry)).await.unwrap_err(),
            own.catch_up_async(&redis, async |unit, entry| checked(unit, &entry)).await.unwrap_err(),
            own.follow(&redis, async |unit, entry| checked(unit, &entry)).await.unwrap_err(),
        ];
        for error in errors {
            is_named(&error, "the handler has failed: no such payment: Negative(-2)");
            let source = error.source().and_then(|source| source.downcast_ref());
            assert_eq!(source, Some(&ViewError::Negative(-2)), "{name}");
        }
        // `?` converts, of errors of several types.
        let any = records(&log).handler_error::<AnyError>();
        let of_text = async |unit, entry: Entry<Receipt>| {
            let _: u64 = entry.event.cents.to_string().parse()?;
            Ok(Balance::load(&redis, "none").await?.map_or(unit, |_| Unit::new()))
        };
        is_named(&any.catch_up_async(&redis, of_text).await.unwrap_err(), "invalid digit");
        let text = records(&log).handler_error::<String>();
        let refuses = |unit, entry: Entry<Receipt>| {
            if entry.event.cents < 0 { Err(format!("{} cents", entry.event.cents)) } else { Ok(unit) }
        };
        is_named(&text.catch_up(&redis, refuses).await.unwrap_err(), "the handler has failed: -2 cents");
        let word = records(&log).handler_error::<&str>();
        let refuses = |unit, entry: Entry<Receipt>| if entry.event.cents < 0 { Err("negative") } else { Ok(unit) };
        is_named(&word.catch_up(&redis, refuses).await.unwrap_err(), "the handler has failed: negative");
        // The handler sent requests, whatever the kind of its error says.
        let input = |unit: Unit, entry: Entry<Receipt>| match entry.event.cents {
            -2 => Err(Error::new(ErrorKind::InvalidInput, "negative")),
            _ => Ok(unit),
        };
        is_named(&records(&log).catch_up(&redis, input).await.unwrap_err(), "the handler has failed: negative");
        // The values in the errors of serde are cut.
        let json = records(&log).handler_error::<AnyError>();
        let parses = |unit, entry: Entry<Receipt>| {
            let text = if entry.event.cents < 0 { "\"secret\"" } else { "1" };
            let _: u64 = serde_json::from_str(text)?;
            Ok(unit)
        };
        let error = json.catch_up(&redis, parses).await.unwrap_err();
        is_named(&error, "the handler has failed: ");
        assert!(!format!("{error} {error:?}").contains("secret"), "{name}: {error:?}");
    }
    Ok(())
}

/// Increments show an event that counts twice.
fn add(view: &str) -> impl FnMut(Unit, Entry<Receipt>) -> Result<Unit> + Send + use<> {
    let view = view.to_owned();
    move |unit, entry| {
        let insert = Balance { id: format!("{view}.{}", entry.event.customer), cents: entry.event.cents, events: 1 };
        let again = Balance::patch(&insert.id).incr(Balance::EVENTS, 1).incr(Balance::CENTS, entry.event.cents);
        Ok(if entry.id == StreamId::new(1, 1) { unit.insert(&insert) } else { unit.patch(again) })
    }
}

#[tokio::test]
async fn a_view_is_rebuilt_in_place() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let (log, view) = (Receipt::log(key("rebuilt")), key("rebuilt"));
        for (number, receipt) in [receipt(1, 1), receipt(1, 20), receipt(1, 300)].iter().enumerate() {
            log.append_at(&redis, StreamId::new(1, number as u64 + 1), receipt).await?;
        }
        let projection = records(&log);
        assert!(!projection.reset(&redis).await?, "{name}");
        assert_eq!(projection.catch_up(&redis, add(&view)).await?.events, 3);
        let expected = Balance { id: format!("{view}.1"), cents: 321, events: 3 };
        for _ in 0..2 {
            assert_eq!(Balance::load(&redis, &expected.id).await?.as_ref(), Some(&expected), "{name}");
            assert_eq!(Balance::query().eq(Balance::CENTS, 321).delete(&redis).await?, 1, "{name}");
            assert!(projection.reset(&redis).await? && redis.exists(projection.key()).await? == 0, "{name}");
            assert_eq!(projection.catch_up(&redis, add(&view)).await?.events, 3, "{name}");
        }
        assert_eq!(Balance::load(&redis, &expected.id).await?.as_ref(), Some(&expected), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_position_that_is_deleted_meanwhile_is_noticed() -> Result<()> {
    let (_, stack) = &servers()[0];
    let redis = stack.redis();
    let log = Receipt::log(key("gone"));
    log.append_many(&redis, &[receipt(1, 1), receipt(2, 2)]).await?;
    let projection = records(&log);
    let deletes = async |unit: Unit, _: Entry<Receipt>| {
        projection.reset(&redis).await?;
        Ok(unit)
    };
    let error = projection.catch_up_async(&redis, deletes).await.unwrap_err();
    assert_eq!((error.is_not_found(), error.key()), (true, Some(projection.key())));
    Ok(())
}

#[tokio::test]
async fn entries_that_are_gone_are_noticed() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let new = async |seen: usize, unseen: usize| {
            let log = Receipt::log(key("gone"));
            let projection = records(&log);
            let ids = log.append_many(&redis, &vec![receipt(1, 1); seen]).await?;
            projection.catch_up(&redis, |unit, _| Ok(unit)).await?;
            let more = log.append_many(&redis, &vec![receipt(1, 1); unseen]).await?;
            Result::Ok((log, projection, ids, more))
        };
        // Entries that it has seen may go.
        let (log, projection, ids, _) = new(10, 5).await?;
        redis.xdel(log.key(), ids[3]).await?;
        redis.xtrim(log.key(), Trim::max_len(5)).await?;
        assert_eq!(projection.catch_up(&redis, |unit, _| Ok(unit)).await?.events, 5);
        redis.xtrim(log.key(), Trim::max_len(0)).await?;
        assert_eq!(projection.catch_up(&redis, |unit, _| Ok(unit)).await?.events, 0);
        // Trimmed at the front, removed in the middle, and at the end; many and few.
        for (unseen, which) in [(5, "front"), (5, "middle"), (5, "end"), (1200, "front"), (1200, "end"), (5, "all")] {
            let (log, projection, _, more) = new(10, unseen).await?;
            match which {
                "front" => drop(redis.xtrim(log.key(), Trim::max_len(unseen as u64 - 2)).await?),
                "middle" => drop(redis.xdel(log.key(), more[1..3].to_vec()).await?),
                "end" => drop(redis.xdel(log.key(), more[unseen - 2..].to_vec()).await?),
                _ => drop(redis.xtrim(log.key(), Trim::max_len(0)).await?),
            }
            let error = projection.catch_up(&redis, |_, _| panic!("nothing is handled")).await.unwrap_err();
            assert!(error.is_lagged() && error.key() == Some(log.key()), "{name} {which}: {error}");
            let lost = if which == "all" { 5 } else { 2 };
            let caught_up = projection.clone().skip_missing().catch_up(&redis, |unit, _| Ok(unit)).await?;
            assert_eq!((caught_up.events, caught_up.missing), (unseen as u64 - lost, lost), "{name} {which}");
            log.append(&redis, &receipt(1, 1)).await?;
            assert_eq!(projection.catch_up(&redis, |unit, _| Ok(unit)).await?.events, 1, "{name} {which}");
        }
        // Deleted, and begun again.
        let (log, projection, _, _) = new(10, 5).await?;
        redis.del(log.key()).await?;
        let error = projection.catch_up(&redis, |unit, _| Ok(unit)).await.unwrap_err();
        assert!(error.is_lagged() && error.message().contains("begun again"), "{error}");
        log.append_many(&redis, &vec![receipt(1, 1); 4]).await?;
        let error = projection.clone().skip_missing().catch_up(&redis, |unit, _| Ok(unit)).await.unwrap_err();
        assert!(error.is_lagged() && error.message().contains("begun again"), "{error}");
        assert_eq!(records(&log).catch_up(&redis, |unit, _| Ok(unit)).await?.events, 4);
    }
    Ok(())
}

/// A view of two logs would be wrong, so not one event of the new log may reach it.
#[tokio::test]
async fn a_log_that_was_begun_again_changes_nothing_in_the_view() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        for (added, left) in [(1, 1), (8, 8), (8, 6), (5, 5), (1200, 1200), (1200, 1198)] {
            let log = Receipt::log(key("again"));
            let projection = records(&log).batch(100);
            log.append_many(&redis, &vec![receipt(1, 1); 3]).await?;
            projection.catch_up(&redis, |unit, _| Ok(unit)).await?;
            log.clear(&redis).await?;
            log.append_many(&redis, &vec![receipt(2, 2); added]).await?;
            redis.xtrim(log.key(), Trim::max_len(left)).await?;
            for projection in [projection.clone(), projection.skip_missing()] {
                let error = projection.catch_up(&redis, |_, _| panic!("nothing is handled")).await.unwrap_err();
                let is_named = error.is_lagged() && error.message().contains("begun again");
                assert!(is_named && error.key() == Some(log.key()), "{name} {added}/{left}: {error}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_entry_that_is_too_large_is_named_and_can_be_skipped() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let small = stack.builder().max_response_bytes(100_000).build()?;
        let log = Receipt::log(key("large"));
        let name = log.key().rsplit(':').next().unwrap().to_owned();
        log.append_many(&redis, &vec![receipt(1, 1); 30]).await?;
        let large = redis.xadd(log.key(), [("customer", "1"), ("cents", "2"), ("other", &"x".repeat(400_000))]).await?;
        log.append_many(&redis, &vec![receipt(1, 3); 10]).await?;
        let projection = records(&log).batch(50);
        let error = projection.catch_up(&small, record(&name)).await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::TooLarge && error.to_string().contains(&format!("entry {large}")),
            "{error}"
        );
        let skipping = projection.skip_unreadable();
        let caught_up = skipping.catch_up(&small, record(&name)).await?;
        assert_eq!((caught_up.events, caught_up.skipped), (10, 1));
        assert_eq!(skipping.skipped(&redis).await?[0].id, large);

        let error = log.fold(&small, 0, |count, _| count + 1).await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::TooLarge && error.to_string().contains(&format!("entry {large}")),
            "{error}"
        );
        let mut entries = log.entries(&small, ..);
        let (mut read, mut unread) = (0, Vec::new());
        while let Some(entry) = entries.next().await {
            match entry? {
                Entry { event: Ok(_), .. } => read += 1,
                Entry { id, .. } => unread.push(id),
            }
        }
        assert_eq!((read, unread), (40, vec![large]));
    }
    Ok(())
}

#[tokio::test]
async fn several_logs_and_the_blocking_client() -> Result<()> {
    let (_, stack) = &servers()[0];
    let redis = stack.redis();
    let logs: Vec<_> = (0..3).map(|_| Receipt::log(key("several"))).collect();
    for log in &logs {
        // A versioned log of this model would write to the category, which another test counts.
        log.append_many(&redis, &[receipt(1, 1), receipt(2, 2)]).await?;
    }
    let projection = Projection::new(&key("several"), logs.clone());
    let name = key("several");
    let client = stack.blocking();
    std::thread::spawn(move || -> Result<()> {
        let mut number = 0;
        let insert = move |unit: Unit, entry: Entry<Receipt>| {
            number += 1;
            Ok(unit.insert(&SaleRecord { id: format!("{name}.{number}"), cents: entry.event.cents }))
        };
        assert_eq!(projection.catch_up(&client, insert)?.events, 6);
        logs[1].append(&client, &receipt(1, 1))?;
        assert_eq!(projection.catch_up(&client, |unit, _| Ok(unit))?.events, 1);
        Ok(())
    })
    .join()
    .unwrap()
}
