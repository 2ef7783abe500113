// What rustc once advised for a single key.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    redis.del("key".chars()).await?;
    redis.set("key", 'c').await?;
    Ok(())
}

fn main() {}
