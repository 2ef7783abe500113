use redis_model::prelude::*;

#[derive(RedisModel)]
struct OrderId(#[redis(id)] u64);

fn main() {}
