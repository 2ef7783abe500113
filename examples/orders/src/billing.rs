//! The worker: charges each payment to the account of its customer, exactly once.

use std::time::Duration;

use redis_model::prelude::*;
use redis_model::stream::{Delivered, Sourced};
use redis_model::{Group, Unit};

use crate::events::OrderEvent;
use crate::view::number_of;

/// The account of a customer, at `orders-demo-account:NAME`.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "orders-demo-account")]
pub(crate) struct Account {
    #[redis(id)]
    pub(crate) customer: String,
    pub(crate) charged: u64,
}

/// What was charged for an order, at `orders-demo-receipt:NUMBER`.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "orders-demo-receipt")]
pub(crate) struct Receipt {
    #[redis(id)]
    pub(crate) order: u64,
    #[redis(index)]
    pub(crate) customer: String,
    pub(crate) cents: u32,
}

/// The consumer group. All workers of it, in any number of processes, share the events.
pub(crate) fn group() -> Group<Sourced<OrderEvent>> {
    OrderEvent::category().group("billing")
}

/// A worker of the group. It gives up after 3 attempts: the event becomes a dead letter.
pub(crate) fn worker() -> Worker<Sourced<OrderEvent>> {
    Worker::new(group(), format!("worker-{}", std::process::id()))
        .max_deliveries(3)
        .retry(Duration::from_millis(100), Duration::from_secs(1))
}

/// Handles an event. `run_exactly` commits the unit and acknowledges the event in one script, so a payment is charged once
/// whatever fails, and however often this function is called.
///
/// If the customer has no account, the patch is refused, and the event is handled again later.
pub(crate) async fn charge(delivered: Delivered<Sourced<OrderEvent>>) -> Result<Unit> {
    let Sourced { log, event, .. } = delivered.event;
    let OrderEvent::Paid { customer, cents } = event else { return Ok(Unit::new()) };
    let charge = Account::patch(&customer).incr(Account::CHARGED, cents);
    let receipt = Receipt { order: number_of(&log)?, customer: customer.clone(), cents };
    Ok(Unit::new().patch(charge).insert(&receipt))
}

/// Opens an account, if the customer has none.
pub(crate) async fn open_account(redis: &Redis, customer: &str) -> Result<()> {
    match (Account { customer: customer.into(), charged: 0 }).insert(redis).await {
        Err(error) if error.is_already_exists() => Ok(()),
        other => other,
    }
}

/// Repairs the reason for the dead letters, and moves them back to the worker. Returns how many there were.
pub(crate) async fn redrive(redis: &Redis) -> Result<u64> {
    for letter in group().dead_letters(redis, StreamId::MIN, 100).await? {
        if let OrderEvent::Paid { customer, .. } = letter?.event?.event {
            open_account(redis, &customer).await?;
        }
    }
    group().redrive(redis, 100).await
}
