use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user", ttl = 60)]
struct User {
    #[redis(id)]
    id: u64,
}

fn main() {}
