use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "temperature", max_len = "1000")]
struct Reading {
    celsius: f64,
}

fn main() {}
