//! A patch changes, requires and returns fields of its own model.

use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    visits: i64,
}

#[derive(RedisModel)]
#[redis(prefix = "order")]
struct Order {
    #[redis(id)]
    id: u64,
    total: i64,
}

async fn patch(redis: &Redis) -> Result<()> {
    User::patch(42).incr(Order::TOTAL, 1).exec(redis).await?;
    User::patch(42).incr(User::VISITS, 1).if_eq(Order::TOTAL, 7).exec(redis).await?;
    User::patch(42).incr(User::VISITS, 1).returning(Order::TOTAL).exec(redis).await?;
    User::patch(42).incr(User::VISITS, 1).returning((User::VISITS, Order::TOTAL)).exec(redis).await?;
    Ok(())
}

fn main() {}
