// Nothing says to what the value is to be decoded.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    let name = redis.get("name").await?;
    println!("{name:?}");
    Ok(())
}

fn main() {}
