use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user", rename_all = "CamelCase")]
struct User {
    #[redis(id)]
    id: u64,
}

fn main() {}
