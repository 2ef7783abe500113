// An `Option` and a type of serde are not arguments.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    redis.set("k", Some("v")).await?;
    redis.sadd("k", serde_json::json!([1])).await?;
    Ok(())
}

fn main() {}
