use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user:")]
struct User {
    #[redis(id)]
    id: u64,
}

async fn load(redis: &Redis) -> Result<Option<User>> {
    User::load(redis, 42).await
}

fn main() {}
