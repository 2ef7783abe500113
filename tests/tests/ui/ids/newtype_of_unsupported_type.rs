use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(id)]
struct Ratio(f64);

fn main() {}
