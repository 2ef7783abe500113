use redis_model::prelude::*;

#[derive(RedisModel)]
enum Event {
    Placed { sku: String },
    Closed,
}

fn main() {}
