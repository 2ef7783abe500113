// A forgotten `.await`.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    let hits = redis.incr("hits")?;
    redis.pipeline().incr("hits").exec()?;
    Ok(())
}

fn main() {}
