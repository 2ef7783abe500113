//! The projection: a table of all orders, made of the events, that queries search.

use std::time::{SystemTime, UNIX_EPOCH};

use redis_model::prelude::*;
use redis_model::stream::Sourced;
use redis_model::{Entry, Projection, Unit};

use crate::events::OrderEvent;
use crate::order::Status;

/// The states of an order in which something is to be done.
const OPEN: [Status; 2] = [Status::Placed, Status::Paid];

/// A row of the view, at `orders-demo-row:NUMBER`. The compound index finds the open orders of a customer.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "orders-demo-row", index(customer, status))]
pub(crate) struct OrderView {
    #[redis(id)]
    pub(crate) number: u64,
    pub(crate) customer: String,
    #[redis(index)]
    pub(crate) status: Status,
    pub(crate) cents: u32,
    #[redis(index)]
    pub(crate) placed_at: SystemTime,
}

impl OrderView {
    /// The latest orders.
    pub(crate) async fn latest(redis: &Redis, count: usize) -> Result<Vec<OrderView>> {
        Ok(OrderView::query().order_by_desc(OrderView::PLACED_AT).limit(count).fetch(redis).await?.items)
    }

    /// The number of orders that are neither shipped nor cancelled.
    pub(crate) async fn count_open(redis: &Redis) -> Result<u64> {
        OrderView::query().any_of(OrderView::STATUS, OPEN).count(redis).await
    }

    /// The orders of a customer that are neither shipped nor cancelled.
    pub(crate) async fn open_of(redis: &Redis, customer: &str) -> Result<Vec<OrderView>> {
        let open = OrderView::query().eq(OrderView::CUSTOMER, customer);
        let open = open.any_of(OrderView::STATUS, OPEN);
        Ok(open.order_by(OrderView::PLACED_AT).limit(100).fetch(redis).await?.items)
    }
}

/// The rows and the position in the stream are one write, so each event counts once, even if the program is killed, or runs
/// twice.
fn projection() -> Projection<Sourced<OrderEvent>> {
    OrderEvent::category().projection("orders")
}

/// Keeps the view up to date with the events of all orders. It returns only if something fails that cannot pass.
pub(crate) async fn follow(redis: &Redis) -> Result<()> {
    projection().follow(redis, async |unit, entry| project(unit, entry)).await
}

/// Brings the view up to date with the events that there are.
pub(crate) async fn catch_up(redis: &Redis) -> Result<()> {
    projection().catch_up(redis, project).await?;
    Ok(())
}

/// Adds what an event changes in the view.
fn project(unit: Unit, entry: Entry<Sourced<OrderEvent>>) -> Result<Unit> {
    let Sourced { log, event, .. } = entry.event;
    let number = number_of(&log)?;
    let status = |unit: Unit, status| unit.patch(OrderView::patch(number).set(OrderView::STATUS, status));
    Ok(match event {
        OrderEvent::Placed { customer } => {
            // The id of an entry begins with the time at which the server added it.
            let placed_at = entry.id.time().unwrap_or(UNIX_EPOCH);
            unit.insert(&OrderView { number, customer, status: Status::Placed, cents: 0, placed_at })
        }
        OrderEvent::Added { cents, .. } => unit.patch(OrderView::patch(number).incr(OrderView::CENTS, cents)),
        OrderEvent::Paid { .. } => status(unit, Status::Paid),
        OrderEvent::Shipped { .. } => status(unit, Status::Shipped),
        OrderEvent::Cancelled { .. } => status(unit, Status::Cancelled),
    })
}

/// The number of the order that an event is about. `Sourced` names the log as text.
pub(crate) fn number_of(log: &str) -> Result<u64> {
    log.parse().map_err(|_| {
        redis_model::Error::new(redis_model::ErrorKind::Decode, format!("{log:?} is not the number of an order"))
    })
}
