use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(list, prefix = "points", json, bincode)]
struct Point {
    x: i32,
}

fn main() {}
