//! The aggregate: the state of one order, and the commands that decide what happens to it.

use redis_model::prelude::*;
use redis_model::stream::Snapshots;
use redis_model::{Aggregate, AggregateLog, Error, ErrorKind};
use serde_derive::{Deserialize, Serialize};

use crate::events::OrderEvent;

/// The state that the events of an order make. The default is an order that does not exist.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) status: Option<Status>,
    pub(crate) customer: String,
    pub(crate) cents: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, RedisModel, Serialize, Deserialize)]
#[redis(rename_all = "lowercase")]
pub(crate) enum Status {
    Placed,
    Paid,
    Shipped,
    Cancelled,
}

/// The order of this number. A snapshot after every 4 events saves reading the older ones.
pub(crate) fn order(number: u64) -> AggregateLog<Order> {
    OrderEvent::log(number).versioned().aggregate().snapshots(Snapshots::json().every(4))
}

impl Aggregate for Order {
    type Event = OrderEvent;

    fn apply(mut self, event: OrderEvent) -> Self {
        match event {
            OrderEvent::Placed { customer } => (self.status, self.customer) = (Some(Status::Placed), customer),
            OrderEvent::Added { cents, .. } => self.cents += cents,
            OrderEvent::Paid { .. } => self.status = Some(Status::Paid),
            OrderEvent::Shipped { .. } => self.status = Some(Status::Shipped),
            OrderEvent::Cancelled { .. } => self.status = Some(Status::Cancelled),
        }
        self
    }
}

/// The commands. Each returns the events that happen, or refuses. `commit` loads the state, calls one of them, and appends the
/// events only if the state is still that one. Otherwise it decides again.
impl Order {
    pub(crate) fn place(&self, customer: &str, teas: &[(&str, u32)]) -> Result<Vec<OrderEvent>> {
        if self.status.is_some() {
            return self.refuse("placed again");
        }
        let placed = OrderEvent::Placed { customer: customer.into() };
        let added = teas.iter().map(|&(tea, cents)| OrderEvent::Added { tea: tea.into(), cents });
        Ok(std::iter::once(placed).chain(added).collect())
    }

    pub(crate) fn pay(&self) -> Result<Vec<OrderEvent>> {
        match self.status {
            Some(Status::Placed) => Ok(vec![OrderEvent::Paid { customer: self.customer.clone(), cents: self.cents }]),
            _ => self.refuse("paid"),
        }
    }

    pub(crate) fn ship(&self, carrier: &str) -> Result<Vec<OrderEvent>> {
        match self.status {
            Some(Status::Paid) => Ok(vec![OrderEvent::Shipped { carrier: carrier.into() }]),
            // Nothing more happens. That is no error: the carrier may ask twice.
            Some(Status::Shipped) => Ok(vec![]),
            _ => self.refuse("shipped"),
        }
    }

    pub(crate) fn cancel(&self, reason: &str) -> Result<Vec<OrderEvent>> {
        match self.status {
            Some(Status::Placed) => Ok(vec![OrderEvent::Cancelled { reason: reason.into() }]),
            _ => self.refuse("cancelled"),
        }
    }

    fn refuse(&self, what: &str) -> Result<Vec<OrderEvent>> {
        let why = match self.status {
            None => format!("an order that does not exist cannot be {what}"),
            Some(status) => format!("an order that is {} cannot be {what}", status.name()),
        };
        Err(Error::new(ErrorKind::Conflict, why))
    }
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Placed => "placed",
            Status::Paid => "paid",
            Status::Shipped => "shipped",
            Status::Cancelled => "cancelled",
        }
    }
}

/// Commands and events are plain functions: their tests need no database.
#[cfg(test)]
mod tests {
    use super::*;

    fn after(events: Vec<OrderEvent>) -> Order {
        events.into_iter().fold(Order::default(), Order::apply)
    }

    #[test]
    fn an_order_is_paid_and_shipped_once() {
        let mut events = Order::default().place("ada", &[("mint", 320), ("black", 380)]).unwrap();
        assert!(after(events.clone()).ship("sea").is_err(), "not paid yet");

        let paid = after(events.clone()).pay().unwrap();
        assert_eq!(paid, [OrderEvent::Paid { customer: "ada".into(), cents: 700 }]);
        events.extend(paid);
        assert!(after(events.clone()).pay().is_err());
        assert!(after(events.clone()).cancel("too late").is_err());

        events.extend(after(events.clone()).ship("sea").unwrap());
        assert_eq!(after(events).ship("sea").unwrap(), [], "shipped already: nothing more happens");
    }
}
