//! Optimistic locks need a version.

use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    visits: i64,
}

async fn lock(redis: &Redis) -> Result<()> {
    User::patch(42).if_version(1).incr(User::VISITS, 1).exec(redis).await?;
    User::modify(redis, 42, |user| user.visits += 1).await?;
    Ok(())
}

fn main() {}
