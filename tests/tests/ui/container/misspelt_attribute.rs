use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefx = "user")]
struct User {
    #[redis(id)]
    id: u64,
}

#[derive(RedisModel)]
#[redis(hash, prefix = "order", expire = "60s")]
struct Order {
    #[redis(id)]
    id: u64,
}

fn main() {}
