use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "orders")]
enum OrderEvent {
    Paid(i64),
    Shipped(Address),
    Closed,
}

struct Address {
    city: String,
}

fn main() {}
