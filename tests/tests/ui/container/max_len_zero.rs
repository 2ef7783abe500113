use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "user", max_len = 0)]
struct User {
    name: String,
}

fn main() {}
