// The tuple of a pipeline has one reply for each command, of its own type.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    let two: (i64, i64) = redis.pipeline().incr("a").exec().await?;
    let (name, hits): (String, i64) = redis.pipeline().get("name").incr("hits").exec().await?;
    Ok(())
}

fn main() {}
