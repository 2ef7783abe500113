// A pipeline that is not chained.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    let pipeline = redis.pipeline();
    pipeline.incr("hits");
    pipeline.exec().await?;
    Ok(())
}

fn main() {}
