use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefx = "user")]
struct User {
    #[redis(id)]
    id: u64,
}

#[derive(RedisModel)]
#[redis(hash, prefix = "order", ttl = 60)]
struct Order {
    #[redis(id)]
    id: u64,
}

fn main() {}
