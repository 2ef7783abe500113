//! Event logs, versioned logs, projections, tails, groups and workers.

use std::convert::Infallible;
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::stream::{AppendOptions, Counts, Delivered, Expected, Retention, Snapshots};
use redis_model::{Aggregate, Group, Since, Unit, Worker};
use serde::{Deserialize, Serialize};

use crate::table::Table;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "order-events", max_len = 1_000_000)]
enum OrderEvent {
    Placed { sku: String },
    Paid { cents: i64 },
}

/// An event of versioned logs.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, versioned, prefix = "invoice-events")]
struct Charged {
    cents: i64,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "chat", publish)]
struct Said {
    text: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "temperature", max_age = "7d")]
struct Reading {
    celsius: f64,
}

/// The sum of what was charged.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Order {
    cents: i64,
}

impl Aggregate for Order {
    type Event = Charged;

    fn apply(self, Charged { cents }: Charged) -> Self {
        Order { cents: self.cents + cents }
    }
}

/// A record for each payment.
#[derive(Debug, RedisModel)]
#[redis(prefix = "payment")]
struct Payment {
    #[redis(id)]
    id: String,
    cents: i64,
}

fn paid(cents: i64) -> OrderEvent {
    OrderEvent::Paid { cents }
}

fn charged(cents: i64) -> Charged {
    Charged { cents }
}

#[tokio::test]
async fn the_table_of_logs_is_what_calls_send() -> Result<()> {
    let (_stack, redis, mut table) = Table::of_a_server()?;
    of_appends(&redis, &mut table).await?;
    of_reads(&redis, &mut table).await?;
    of_versions(&redis, &mut table).await?;
    of_aggregates(&redis, &mut table).await?;
    of_projections(&redis, &mut table).await?;
    of_tails(&redis, &mut table).await?;
    of_groups(&redis, &mut table).await?;
    of_workers(&redis, &mut table).await?;
    table.compare("log_costs.md");
    Ok(())
}

async fn of_appends(redis: &Redis, table: &mut Table) -> Result<()> {
    let (log, chat, roof) = (OrderEvent::log(17), Said::log("lobby"), Reading::log("roof"));
    let said = Said { text: "hello".into() };
    let reading = Reading { celsius: 21.5 };
    let payment = Payment { id: "5012".into(), cents: 1 };
    let once = |key: &'static str| AppendOptions::new().once(key);
    // The server knows the scripts from here on.
    for _ in 0..2 {
        chat.append(redis, &said).await?;
        roof.append(redis, &reading).await?;
        log.append(redis, &paid(1)).exactly_once().await?;
        log.append_with(redis, [&paid(1)], &once("warm")).await?;
        Unit::new().save(&payment).append(&log, &paid(1)).commit(redis).await?;
    }
    table.forget();
    table.section("appending to a log");
    log.append(redis, &OrderEvent::Placed { sku: "a-1".into() }).await?;
    table.row("log.append(&redis, &paid)", "", 1, 1);
    log.append_many(redis, &[paid(1), paid(2), paid(3)]).await?;
    table.row("log.append_many(&redis, [&a, &b, &c])", "", 1, 3);
    log.append(redis, &paid(1)).exactly_once().await?;
    table.row("log.append(&redis, &paid).exactly_once()", "", 1, 1);
    log.append_with(redis, [&paid(1)], &once("payment-17")).await?;
    table.row("log.append_with(&redis, [&paid], &AppendOptions::new().once(\"payment-17\"))", "", 1, 1);
    let keep = AppendOptions::new().retention(Retention::new().max_len(1000));
    log.append_with(redis, [&paid(1)], &keep).await?;
    table.row("log.append_with(&redis, [&paid], &AppendOptions::new().retention(..))", ", with one limit", 1, 1);
    chat.append(redis, &said).await?;
    table.row("chat.append(&redis, &said)", ", with `#[redis(publish)]`", 1, 1);
    chat.append_many(redis, [&said, &said, &said]).await?;
    table.row("chat.append_many(&redis, [&a, &b, &c])", ", with `#[redis(publish)]`", 1, 1);
    Unit::new().save(&payment).append(&log, &paid(1)).commit(redis).await?;
    table.row("Unit::new().save(&payment).append(&log, &paid).commit(&redis)", "", 1, 1);
    roof.append(redis, &reading).await?;
    table.row("roof.append(&redis, &reading)", ", with `#[redis(max_age = \"7d\")]`", 1, 1);
    Ok(())
}

async fn of_reads(redis: &Redis, table: &mut Table) -> Result<()> {
    let log = OrderEvent::log(18);
    let ids = log.append_many(redis, &vec![paid(1); 600]).await?;
    let id = *ids.first().expect("an id");
    for _ in 0..2 {
        log.fold(redis, 0, |sum, _| sum + 1).await?;
    }
    table.forget();
    table.section("reading a log of 600 entries");
    log.range(redis, .., 100).await?;
    table.row("log.range(&redis, .., 100)", "", 1, 1);
    log.after(redis, id, 100).await?;
    table.row("log.after(&redis, id, 100)", "", 1, 1);
    log.last(redis, 20).await?;
    table.row("log.last(&redis, 20)", "", 1, 1);
    log.get(redis, id).await?;
    table.row("log.get(&redis, id)", "", 1, 1);
    log.len(redis).await?;
    table.row("log.len(&redis)", "", 1, 1);
    log.info(redis).await?;
    table.row("log.info(&redis)", "", 1, 1);
    assert_eq!(log.entries(redis, ..).collect().await?.len(), 600);
    table.row("log.entries(&redis, ..)", ", 500 entries a page", 2, 2);
    assert_eq!(log.fold(redis, 0, |sum, _| sum + 1).await?, 600);
    table.row("log.fold(&redis, 0, |sum, event| ..)", ", 500 events a page", 2, 2);
    log.trim(redis, Retention::new().max_len(500)).await?;
    table.row("log.trim(&redis, Retention::new().max_len(500))", "", 1, 1);
    log.delete(redis, [id]).await?;
    table.row("log.delete(&redis, [id])", "", 1, 1);
    Ok(())
}

async fn of_versions(redis: &Redis, table: &mut Table) -> Result<()> {
    let warm = Charged::log("warm").versioned();
    let with_category = Charged::log("warm-too").versioned().category();
    for version in 0..2 {
        warm.append(redis, Expected::Exact(version), &[charged(1)]).await?;
        with_category.append(redis, Expected::Exact(version), &[charged(1)]).await?;
    }
    for _ in 0..2 {
        warm.append(redis, Expected::Any, &[charged(1)]).await?;
        warm.append_as(redis, "warm", Expected::Any, &[charged(1)]).await?;
        warm.version(redis).await?;
    }
    table.forget();
    table.section("a versioned log");
    let log = Charged::log(19).versioned();
    log.append(redis, Expected::NoStream, &[charged(1)]).await?;
    table.row("log.append(&redis, Expected::NoStream, &[placed])", "", 1, 1);
    log.append(redis, Expected::Exact(1), &[charged(1), charged(2), charged(3)]).await?;
    table.row("log.append(&redis, Expected::Exact(1), &[a, b, c])", "", 1, 1);
    log.append(redis, Expected::Exact(1), &[charged(1)]).await.expect_err("a conflict");
    table.row("log.append(&redis, Expected::Exact(1), &[paid])", ", of a log that has another version", 1, 1);
    log.append(redis, Expected::Any, &[charged(1)]).await?;
    table.row("log.append(&redis, Expected::Any, &[paid])", "", 1, 1);
    log.append_as(redis, "payment-5012", Expected::Any, &[charged(1)]).await?;
    table.row("log.append_as(&redis, \"payment-5012\", Expected::Any, &[paid])", "", 1, 1);
    log.clone().category().append(redis, Expected::Exact(6), &[charged(1)]).await?;
    table.row("log.category().append(&redis, Expected::Exact(6), &[paid])", ", to the category stream too", 1, 1);
    log.version(redis).await?;
    table.row("log.version(&redis)", "", 1, 1);
    log.range(redis, 2.., 100).await?;
    table.row("log.range(&redis, 2.., 100)", "", 1, 1);
    Ok(())
}

async fn of_aggregates(redis: &Redis, table: &mut Table) -> Result<()> {
    let plain = Charged::log(20).versioned().aggregate::<Order>();
    plain.log().append(redis, Expected::NoStream, &vec![charged(1); 600]).await?;
    let snapshots = Charged::log(21).versioned().aggregate::<Order>().snapshots(Snapshots::json().every(50));
    for _ in 0..2 {
        plain.load(redis).await?;
        snapshots.log().append(redis, Expected::Any, &vec![charged(1); 50]).await?;
        snapshots.load(redis).await?;
    }
    snapshots.log().append(redis, Expected::Any, &vec![charged(1); 48]).await?;
    table.forget();
    table.section("an aggregate");
    plain.load(redis).await?;
    table.row("order.load(&redis)", ", 600 events, without snapshots", 2, 2);
    snapshots.load(redis).await?;
    table.row("order.load(&redis)", ", a snapshot and 48 events after it", 1, 1);
    snapshots.commit(redis, |_| vec![charged(1)]).await?;
    table.row("order.commit(&redis, |order| order.pay(990))", "", 2, 2);
    snapshots.commit(redis, |_| vec![]).await?;
    table.row("order.commit(&redis, |order| ..)", ", if the decision is that nothing happens", 1, 1);
    snapshots.commit(redis, |_| vec![charged(1)]).await?;
    table.row("order.commit(&redis, |order| ..)", ", if a snapshot is due: the 50th event", 3, 3);
    Ok(())
}

async fn of_projections(redis: &Redis, table: &mut Table) -> Result<()> {
    let log = OrderEvent::log(22);
    let view = |unit: Unit, entry: redis_model::Entry<OrderEvent>| {
        let OrderEvent::Paid { cents } = entry.event else { return Ok(unit) };
        Ok(unit.save(&Payment { id: entry.id.to_string(), cents }))
    };
    let payments = log.projection("payments").batch(100);
    log.append_many(redis, &[paid(1), paid(2)]).await?;
    payments.catch_up(redis, view).await?;
    log.append(redis, &paid(1)).await?;
    payments.catch_up(redis, view).await?;
    for _ in 0..2 {
        log.append(redis, &paid(1)).await?;
        payments.catch_up(redis, |unit, _| Ok(unit)).await?;
    }
    table.forget();
    table.section("a projection");
    payments.catch_up(redis, view).await?;
    table.row("payments.catch_up(&redis, ..)", ", if nothing is new", 2, 2);
    log.append(redis, &paid(1)).await?;
    table.forget();
    payments.catch_up(redis, view).await?;
    table.row("payments.catch_up(&redis, ..)", ", one event", 3, 3);
    log.append_many(redis, &vec![paid(1); 300]).await?;
    table.forget();
    payments.catch_up(redis, view).await?;
    table.row("payments.catch_up(&redis, ..)", ", 300 events with `batch(100)`", 5, 5);
    log.append_many(redis, &vec![paid(1); 600]).await?;
    table.forget();
    payments.catch_up(redis, |unit, _| Ok(unit)).await?;
    table.row("payments.catch_up(&redis, ..)", ", 600 events that write nothing: two pages", 5, 5);
    Ok(())
}

async fn of_tails(redis: &Redis, table: &mut Table) -> Result<()> {
    let log = OrderEvent::log(23);
    let ids = log.append_many(redis, &vec![paid(1); 1200]).await?;
    table.forget();
    table.section("a tail, of a model without `publish`");
    let mut tail = log.tail(redis, Since::Start);
    for id in &ids {
        assert_eq!(tail.next().await.expect("an entry")?.id, *id);
    }
    table.row("log.tail(&redis, Since::Start)", ", a history of 1,200 entries, 500 a page", 3, 4);
    let mut tail = log.tail(redis, Since::Now);
    tail.started().await?;
    table.row("log.tail(&redis, Since::Now)", ", its start", 1, 1);
    log.append(redis, &paid(1)).await?;
    table.forget();
    tail.next().await.expect("an entry")?;
    table.row("tail.next().await", ", the first read", 1, 2);
    log.append(redis, &paid(1)).await?;
    table.forget();
    tail.next().await.expect("an entry")?;
    table.row("tail.next().await", ", a later read that finds entries", 1, 1);
    assert!(tokio::time::timeout(Duration::from_millis(10), tail.next()).await.is_err());
    table.row("tail.next().await", ", 10 ms later: no read is due", 0, 0);
    Ok(())
}

async fn of_groups(redis: &Redis, table: &mut Table) -> Result<()> {
    let log = OrderEvent::log(24);
    let billing = log.group("billing");
    let ids = log.append_many(redis, &vec![paid(1); 20]).await?;
    let first = *ids.first().expect("an id");
    let warm = log.group("warm");
    warm.create(redis).await?;
    for _ in 0..2 {
        warm.claim(redis, "by-hand", Duration::ZERO, [first]).await?;
        warm.remove_consumer(redis, "by-hand").await?;
    }
    table.forget();
    table.section("a consumer group");
    billing.create(redis).await?;
    table.row("billing.create(&redis)", "", 1, 1);
    billing.create(redis).await?;
    table.row("billing.create(&redis)", ", if it exists", 1, 1);
    billing.read(redis, "by-hand", 10).await?;
    table.row("billing.read(&redis, \"by-hand\", 10)", "", 1, 1);
    billing.claim(redis, "by-hand", Duration::ZERO, [first]).await?;
    table.row("billing.claim(&redis, \"by-hand\", min_idle, [id])", "", 1, 1);
    billing.autoclaim(redis, "by-hand", Duration::ZERO, StreamId::MIN, 10).await?;
    table.row("billing.autoclaim(&redis, \"by-hand\", min_idle, start, 10)", "", 1, 1);
    billing.pending(redis).await?;
    table.row("billing.pending(&redis)", "", 1, 1);
    billing.ack(redis, ids).await?;
    table.row("billing.ack(&redis, ids)", "", 1, 1);
    billing.status(redis).await?;
    table.row("billing.status(&redis)", "", 1, 2);
    billing.remove_consumer(redis, "by-hand").await?;
    table.row("billing.remove_consumer(&redis, \"by-hand\")", "", 1, 1);
    Ok(())
}

/// A worker that polls no more often than each minute, so that only what it handles makes it send something.
fn worker(group: &Group<OrderEvent>) -> Worker<OrderEvent> {
    let minute = Duration::from_secs(60);
    Worker::new(group.clone(), "worker-1").poll(minute, minute).existing_group().max_deliveries(2)
}

/// Runs a worker until it has counted what it is to do.
async fn run(
    redis: &Redis,
    worker: Worker<OrderEvent>,
    fails: impl Fn(u64) -> bool,
    ends: fn(Counts) -> bool,
) -> Result<()> {
    let counters = worker.counters();
    let stop = async {
        while !ends(counters.read()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let handler = async |event: Delivered<OrderEvent>| if fails(event.attempt) { Err("no") } else { Ok(()) };
    worker.run_until(redis, stop, handler).await
}

async fn of_workers(redis: &Redis, table: &mut Table) -> Result<()> {
    let log = OrderEvent::log(25);
    let billing = log.group("billing");
    billing.create(redis).await?;
    let retry = Duration::from_millis(20);
    let never = |_: u64| false;
    let handled_one = |counts: Counts| counts.handled == 1;
    let is_dead = |counts: Counts| counts.dead == 1;
    let exactly = async || {
        let worker = worker(&billing);
        let counters = worker.counters();
        let stop = async {
            while counters.read().handled < 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let handler = async |event: Delivered<OrderEvent>| {
            Ok::<_, Infallible>(Unit::new().save(&Payment { id: event.id.to_string(), cents: 1 }))
        };
        worker.run_exactly_until(redis, stop, handler).await
    };
    // The server knows the scripts from here on.
    for _ in 0..2 {
        log.append(redis, &paid(1)).await?;
        exactly().await?;
        log.append(redis, &paid(1)).await?;
        run(redis, worker(&billing).max_deliveries(1), |_| true, is_dead).await?;
        billing.redrive(redis, 10).await?;
        run(redis, worker(&billing), never, handled_one).await?;
    }
    table.section("a worker");
    log.append(redis, &paid(1)).await?;
    table.forget();
    run(redis, worker(&billing), never, handled_one).await?;
    table.row("worker.run(&redis, ..)", ", one event", 2, 2);
    log.append_many(redis, &vec![paid(1); 80]).await?;
    table.forget();
    run(redis, worker(&billing), never, |counts| counts.handled == 80).await?;
    table.row("worker.run(&redis, ..)", ", 80 events, 8 at the same time, whose handlers do not wait", 11, 11);
    log.append(redis, &paid(1)).await?;
    table.forget();
    exactly().await?;
    table.row("worker.run_exactly(&redis, ..)", ", one event and its unit", 2, 2);
    log.append(redis, &paid(1)).await?;
    table.forget();
    run(redis, worker(&billing).retry(retry, retry), |attempt| attempt == 1, handled_one).await?;
    table.row("worker.run(&redis, ..)", ", one event that fails once", 3, 3);
    log.append(redis, &paid(1)).await?;
    table.forget();
    run(redis, worker(&billing).max_deliveries(1), |_| true, is_dead).await?;
    table.row("worker.run(&redis, ..)", ", one event that becomes a dead letter", 2, 2);
    billing.dead_letters(redis, StreamId::MIN, 100).await?;
    table.row("billing.dead_letters(&redis, StreamId::MIN, 100)", "", 1, 1);
    billing.redrive(redis, 100).await?;
    table.row("billing.redrive(&redis, 100)", "", 1, 1);
    Ok(())
}
