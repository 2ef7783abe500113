// Nothing says to what the reply is to be decoded.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    redis.execute(["SET", "k", "v"]).await?;
    Ok(())
}

fn main() {}
