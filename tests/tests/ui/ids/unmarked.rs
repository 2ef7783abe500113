use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    name: String,
    id: u64,
}

fn main() {}
