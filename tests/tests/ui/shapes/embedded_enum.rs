use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(embedded)]
enum Event {
    Closed,
}

fn main() {}
