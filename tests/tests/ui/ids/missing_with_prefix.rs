use redis_model::prelude::*;

#[derive(RedisModel)]
struct User {
    name: String,
}

fn main() {}
