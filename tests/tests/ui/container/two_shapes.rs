use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(list, stream, prefix = "user")]
struct User {
    name: String,
}

fn main() {}
