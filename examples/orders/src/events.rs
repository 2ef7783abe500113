//! What can happen to an order. The events are the truth; everything else in this program is made of them.

use std::fmt;

use redis_model::Since;
use redis_model::prelude::*;
use redis_model::stream::Sourced;

/// An event of the log `orders-demo-event:NUMBER`, which has the history of one order.
///
/// * `category` also writes each event to `orders-demo-event::category`: the events of all orders, in one sequence. The projection and
///   the worker read that stream.
/// * `publish` wakes the readers at once. Without it, they poll.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "orders-demo-event", category, publish)]
pub(crate) enum OrderEvent {
    Placed { customer: String },
    Added { tea: String, cents: u32 },
    Paid { customer: String, cents: u32 },
    Shipped { carrier: String },
    Cancelled { reason: String },
}

impl fmt::Display for OrderEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OrderEvent::Placed { customer } => write!(f, "placed by {customer}"),
            OrderEvent::Added { tea, cents } => write!(f, "{tea} tea added, {cents} cents"),
            OrderEvent::Paid { cents, .. } => write!(f, "paid, {cents} cents"),
            OrderEvent::Shipped { carrier } => write!(f, "shipped by {carrier}"),
            OrderEvent::Cancelled { reason } => write!(f, "cancelled: {reason}"),
        }
    }
}

/// Calls `show` with the events of all orders as they arrive. It returns only if a request fails.
pub(crate) async fn tail(redis: &Redis, since: Since, mut show: impl FnMut(Sourced<OrderEvent>)) -> Result<()> {
    let mut events = OrderEvent::category().tail(redis, since);
    while let Some(entry) = events.next().await {
        show(entry?.event?);
    }
    Ok(())
}
