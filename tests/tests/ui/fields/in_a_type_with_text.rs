use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(text)]
struct Point {
    #[redis(rename = "east")]
    x: i64,
    y: i64,
}

#[derive(RedisModel)]
#[redis(text)]
enum Shape {
    #[redis(rename = "c")]
    Circle,
}

fn main() {}
