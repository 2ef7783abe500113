use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(list, prefix = "points", text, json)]
struct Point {
    x: i32,
}

fn main() {}
