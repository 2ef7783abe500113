//! A decision that cannot fail is a `Vec`: nothing says which error the `Ok` has.

use redis_model::{Aggregate, prelude::*};

#[derive(RedisModel)]
#[redis(stream, versioned, prefix = "order-events")]
enum OrderEvent {
    Paid { cents: i64 },
}

#[derive(Default)]
struct Order(i64);

impl Aggregate for Order {
    type Event = OrderEvent;

    fn apply(self, OrderEvent::Paid { cents }: OrderEvent) -> Self {
        Order(self.0 + cents)
    }
}

/// The error of the function is that of the crate, so that of the decision is known.
async fn right(redis: &Redis) -> Result<()> {
    let order = OrderEvent::log(17).versioned().aggregate::<Order>();
    order.commit(redis, |_| Ok(vec![OrderEvent::Paid { cents: 1 }])).await?;
    Ok(())
}

async fn wrong(redis: &Redis) -> Result<(), Box<dyn std::error::Error>> {
    let order = OrderEvent::log(17).versioned().aggregate::<Order>();
    order.commit(redis, |_| vec![OrderEvent::Paid { cents: 1 }]).await?;
    order.commit(redis, |_| Ok(vec![OrderEvent::Paid { cents: 1 }])).await?;
    Ok(())
}

fn main() {}
