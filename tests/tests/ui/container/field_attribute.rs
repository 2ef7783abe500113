use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user", rename = "person")]
struct User {
    #[redis(id)]
    id: u64,
}

fn main() {}
