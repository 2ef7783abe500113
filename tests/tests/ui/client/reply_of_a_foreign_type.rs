// A type of serde is not a reply; `Json` wraps it.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    redis.get::<serde_json::Value>("k").await?;
    Ok(())
}

fn main() {}
