// Methods of commands and of models need their traits.
use redis_model::{Redis, RedisModel, Result};

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
}

async fn example(redis: Redis) -> Result<()> {
    User::load(&redis, 1).await?;
    redis.set("a", 1).await?;
    Ok(())
}

fn main() {}
