// A task needs a clone of the client, which is cheap.
use redis_model::prelude::*;

fn example(redis: &Redis) {
    tokio::spawn(async move { redis.incr("hits").await });
}

fn main() {}
