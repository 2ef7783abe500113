// A pipeline whose type would change with each round.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    let mut pipeline = redis.pipeline();
    for _ in 0..3 {
        pipeline = pipeline.incr("hits");
    }
    Ok(())
}

fn main() {}
