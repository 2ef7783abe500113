use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    age: u8,
}

#[derive(RedisModel)]
#[redis(prefix = "order")]
struct Order {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    total: u64,
}

fn main() {
    let _ = User::query().range(Order::TOTAL, 100..);
}
