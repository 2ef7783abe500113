use redis_model::prelude::*;

#[derive(RedisModel)]
enum Nothing {}

fn main() {}
