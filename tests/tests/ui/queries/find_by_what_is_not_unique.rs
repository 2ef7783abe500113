use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    age: u8,
    bio: String,
}

async fn example(redis: Redis) -> Result<()> {
    User::find_by(&redis, User::EMAIL, "ada@example.org").await?;
    User::find_by(&redis, User::AGE, 18).await?;
    User::find_by(&redis, User::BIO, "x").await?;
    Ok(())
}

fn main() {}
