use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream = true, prefix = "temperature")]
struct Reading {
    celsius: f64,
}

fn main() {}
