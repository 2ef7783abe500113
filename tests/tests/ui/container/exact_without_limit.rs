use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "temperature", exact)]
struct Reading {
    celsius: f64,
}

fn main() {}
