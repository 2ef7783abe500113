//! A field that expires is in no index, because the index would not notice, and it is an `Option`.

use std::time::Duration;

use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    city: Option<String>,
    name: String,
}

async fn expire(redis: &Redis) -> Result<()> {
    User::expire_field(redis, 42, User::CITY, Duration::from_secs(60)).await?;
    User::expire_field(redis, 42, User::NAME, Duration::from_secs(60)).await?;
    Ok(())
}

fn main() {}
