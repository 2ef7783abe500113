use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = 5)]
struct User {
    #[redis(id)]
    id: u64,
}

fn main() {}
