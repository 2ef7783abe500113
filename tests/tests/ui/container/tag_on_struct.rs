use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "user", tag = "type")]
struct User {
    name: String,
}

fn main() {}
