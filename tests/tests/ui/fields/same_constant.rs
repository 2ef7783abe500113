use redis_model::prelude::*;

#[allow(non_snake_case)]
#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    name: String,
    Name: String,
}

fn main() {}
