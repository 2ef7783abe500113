// What rustc once advised for a single key, and the same with bytes.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    redis.del("key".chars()).await?;
    redis.del("key".bytes()).await?;
    redis.set("key", 'c').await?;
    redis.set("age", 5_u8).await?;
    Ok(())
}

fn main() {}
