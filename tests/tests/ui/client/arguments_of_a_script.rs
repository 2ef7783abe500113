// Arguments of one type are an array, arguments of several types a tuple.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    redis.eval::<i64>("return 1", "key", ()).await?;
    redis.eval::<i64>("return 1", ["key"], ["a", 5]).await?;
    Ok(())
}

fn main() {}
