use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "temperature")]
struct Celsius(f64);

fn main() {}
