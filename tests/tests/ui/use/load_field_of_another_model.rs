use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
}

#[derive(RedisModel)]
#[redis(prefix = "order")]
struct Order {
    #[redis(id)]
    id: u64,
    total: i64,
}

async fn total(redis: &Redis) -> Result<Option<i64>> {
    User::load_field(redis, 42, Order::TOTAL).await
}

fn main() {}
