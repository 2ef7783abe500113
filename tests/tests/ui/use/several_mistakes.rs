use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefx = "user", rename_all = "Camel")]
struct User {
    id: u64,
    #[redis(json, bincode)]
    tags: Vec<String>,
    #[redis(skip, alias = "c")]
    cache: u8,
}

fn main() {}
