use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(rename_all = "camelCase")]
struct User {
    #[redis(id)]
    id: u64,
}

fn main() {}
