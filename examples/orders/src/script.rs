//! What the program does without a terminal: a fixed number of orders, and then it checks that all numbers agree.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use redis_model::commands::scan::ScanOptions;
use redis_model::prelude::*;
use redis_model::stream::{Notice, Sourced};
use redis_model::{Aggregate as _, Since};
use tokio::sync::oneshot;

use crate::Failure;
use crate::billing::{self, Account, Receipt};
use crate::customers::{self, CUSTOMERS};
use crate::events::{self, OrderEvent};
use crate::order::{Order, order};
use crate::view::{self, OrderView, number_of};

const ORDERS: u64 = 12;

pub(crate) async fn run(redis: &Redis) -> Result<(), Failure> {
    delete_earlier_run(redis).await?;
    customers::prepare(redis).await?;

    let worker = billing::worker().on_notice(|notice| match notice {
        Notice::Failed { attempt, error, .. } => println!("    billing, attempt {attempt}: {error}"),
        Notice::Dead { error, .. } => println!("    billing gives up: {error}"),
        _ => {}
    });
    let seen = RefCell::new(Vec::new());
    let show = |event: Sourced<OrderEvent>| {
        println!("  order {}: {}", event.log, event.event);
        seen.borrow_mut().push(event);
    };
    // The worker runs beside the scenario until that ends and drops `end`.
    let (end, ended) = oneshot::channel::<()>();
    let ended = async { drop(ended.await) };
    let scenario = async {
        let _end = end;
        tokio::select! {
            result = scenario(redis, &seen) => result,
            result = view::follow(redis) => Ok(result?),
            result = events::tail(redis, Since::Start, show) => Ok(result?),
        }
    };
    let bill = async { Ok(worker.run_exactly_until(redis, ended, billing::charge).await?) };
    tokio::try_join!(scenario, bill)?;

    let counts = worker.counters().read();
    println!(
        "\nThe worker has ended: {} events handled, {} failures, {} dead letters, {} requests",
        counts.handled, counts.failed, counts.dead, counts.requests
    );
    check(redis, &seen.into_inner()).await
}

async fn scenario(redis: &Redis, seen: &RefCell<Vec<Sourced<OrderEvent>>>) -> Result<(), Failure> {
    println!("\n{ORDERS} orders. The events as they arrive at a tail:");
    for _ in 0..ORDERS {
        customers::shop(redis, Duration::ZERO).await?;
    }
    match order(1).commit(redis, Order::pay).await {
        Err(refusal) if refusal.is_conflict() => println!("  pay order 1 again: {refusal}"),
        other => return Err(format!("order 1 was paid twice, or not looked up: {other:?}").into()),
    }
    wait_for_billing(redis).await?;
    let all = OrderEvent::category().len(redis).await?;
    while (seen.borrow().len() as u64) < all {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    println!("\nThe payments of guests are dead letters, because guests have no account:");
    for letter in billing::group().dead_letters(redis, StreamId::MIN, 100).await? {
        let letter = letter?;
        println!("  order {} after {} attempts: {}", letter.event?.log, letter.deliveries, letter.error);
    }
    println!("  accounts opened, and {} dead letters moved back", billing::redrive(redis).await?);
    wait_for_billing(redis).await?;

    // The projection may still be on its way.
    view::catch_up(redis).await?;
    for customer in CUSTOMERS {
        let open = OrderView::open_of(redis, customer).await?;
        println!("  open orders of {customer}: {:?}", open.iter().map(|row| row.number).collect::<Vec<_>>());
    }
    Ok(())
}

/// Waits until the worker has handled all events, or has given them up. What was moved back has a stream of its own.
async fn wait_for_billing(redis: &Redis) -> Result<()> {
    loop {
        let status = billing::group().status(redis).await?;
        let retries = redis.xlen(billing::group().retries_key()).await?;
        if (status.waiting, status.info.pending, retries) == (Some(0), 0, 0) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Replays all events, and compares what they make with the aggregates, the view, the receipts and the accounts.
async fn check(redis: &Redis, seen: &[Sourced<OrderEvent>]) -> Result<(), Failure> {
    let mut replayed = BTreeMap::<u64, Order>::new();
    let mut paid = BTreeMap::<String, u64>::new();
    let mut all = Vec::new();
    let mut events = OrderEvent::category().entries(redis, ..);
    while let Some(entry) = events.next().await {
        let event = entry?.event?;
        all.push(event.clone());
        if let OrderEvent::Paid { customer, cents } = &event.event {
            *paid.entry(customer.clone()).or_default() += u64::from(*cents);
        }
        let order = replayed.entry(number_of(&event.log)?).or_default();
        *order = std::mem::take(order).apply(event.event);
    }

    println!("\nChecks");
    same("the events of the tail", &seen, &all.as_slice())?;
    println!("  {} events: the tail has shown each once, in order", all.len());
    for (&number, expected) in &replayed {
        let loaded = order(number).load(redis).await?;
        same(&format!("order {number}, loaded from its snapshot"), &loaded.state, expected)?;
        let row = OrderView::load(redis, number).await?.map(|row| (Some(row.status), row.customer, row.cents));
        let expected = (expected.status, expected.customer.clone(), expected.cents);
        same(&format!("order {number} in the view"), &row, &Some(expected))?;
    }
    println!("  {} orders: the aggregates and the view equal a replay of the events", replayed.len());

    let snapshot = redis.hget::<u64>(format!("{}::snapshot", order(1).log().key()), "version").await?;
    same("the version of the snapshot of order 1", &snapshot, &Some(4))?;
    println!("  order 1 has a snapshot of version 4, and 2 events after it");

    let total: u64 = paid.values().sum();
    let mut receipts = 0;
    for (customer, cents) in &paid {
        let account = Account::load(redis, customer).await?.map(|account| account.charged);
        same(&format!("the account of {customer}"), &account, &Some(*cents))?;
        let mut of_customer = Receipt::query().eq(Receipt::CUSTOMER, customer).stream(redis);
        while let Some(receipt) = of_customer.next().await {
            receipts += u64::from(receipt?.cents);
        }
    }
    same("the sum of the receipts", &receipts, &total)?;
    println!("  {total} cents paid: the accounts and the receipts equal the sum of the events");

    same("the number of orders", &replayed.len(), &usize::try_from(ORDERS)?)?;
    same("dead letters", &billing::group().count_dead_letters(redis).await?, &0)?;
    println!("  no event is pending, and no dead letter is left");
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), Failure> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, and expected {expected:?}").into()) }
}

/// Deletes what an earlier run has left in a database that lives on.
async fn delete_earlier_run(redis: &Redis) -> Result<()> {
    let mut keys = redis.scan_iter::<String>(ScanOptions::new().matching("orders-demo-*"));
    while let Some(key) = keys.next().await {
        redis.unlink([key?]).await?;
    }
    Ok(())
}
