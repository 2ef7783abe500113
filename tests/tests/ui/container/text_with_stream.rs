use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(text, stream, prefix = "point")]
struct Point {
    x: i64,
    y: i64,
}

fn main() {}
