use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user", max_len = 10)]
struct User {
    #[redis(id)]
    id: u64,
}

fn main() {}
