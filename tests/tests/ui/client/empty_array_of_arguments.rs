// No keys and no arguments are `()`.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    redis.eval::<i64>("return 1", [], []).await?;
    Ok(())
}

fn main() {}
