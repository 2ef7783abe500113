// HSET takes pairs.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    redis.hset("user:1", "name").await?;
    redis.hset("user:1", ["name", "Ada"]).await?;
    Ok(())
}

fn main() {}
