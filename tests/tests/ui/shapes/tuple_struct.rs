use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User(u64, String);

fn main() {}
