#![deny(unused_must_use)]

use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    age: u8,
}

async fn example(redis: Redis) -> Result<()> {
    User::query().range(User::AGE, 18..);
    User::query().range(User::AGE, 18..).delete(&redis);
    Ok(())
}

fn main() {}
