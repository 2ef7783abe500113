// There is no error enum to match on: an error has a kind.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<i64> {
    match redis.incr("hits").await {
        Err(redis_model::Error::Timeout) => Ok(0),
        other => other,
    }
}

fn main() {}
