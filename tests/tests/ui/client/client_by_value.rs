// A client that is passed by value instead of by reference.
use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
}

async fn example(redis: Redis) -> Result<()> {
    User::load(redis, 1).await?;
    Ok(())
}

fn main() {}
