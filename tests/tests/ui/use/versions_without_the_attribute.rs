//! A log has versions only if its model refuses plain appends, one of which would end them.

use redis_model::{Aggregate, prelude::*};

#[derive(RedisModel)]
#[redis(stream, prefix = "order-events")]
enum OrderEvent {
    Paid { cents: i64 },
}

#[derive(RedisModel)]
#[redis(stream, versioned, prefix = "invoice-events")]
struct Versioned {
    cents: i64,
}

#[derive(RedisModel)]
#[redis(stream, category, prefix = "account-events")]
struct WithCategory {
    cents: i64,
}

#[derive(Default)]
struct Order(i64);

impl Aggregate for Order {
    type Event = OrderEvent;

    fn apply(self, OrderEvent::Paid { cents }: OrderEvent) -> Self {
        Order(self.0 + cents)
    }
}

fn main() {
    let _ = Versioned::log(17).versioned();
    let _ = WithCategory::log(17).versioned();
    let _ = OrderEvent::log(17).versioned();
}
