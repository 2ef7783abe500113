use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(flatten)]
    other: Other,
}

#[derive(RedisModel)]
#[redis(prefix = "other")]
struct Other {
    #[redis(id)]
    other: u64,
}

fn main() {}
