use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(embedded, prefix = "place")]
struct Place {
    city: String,
}

fn main() {}
