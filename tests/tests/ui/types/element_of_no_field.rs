use redis_model::prelude::*;

struct Inner;

#[derive(RedisModel)]
#[redis(list, prefix = "points")]
struct Point(Inner);

fn main() {}
