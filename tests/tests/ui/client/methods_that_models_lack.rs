// A field is written by a command: `redis.hset(User::key(1)?, User::BIO.pair(&bio)?)`.
use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    bio: Option<String>,
}

async fn example(redis: Redis) -> Result<()> {
    User::save_field(&redis, 1, User::BIO, "x").await?;
    Ok(())
}

fn main() {}
