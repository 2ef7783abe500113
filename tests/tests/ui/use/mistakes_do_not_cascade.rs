use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user:")]
struct User {
    #[redis(id)]
    id: u64,
    name: String,
}

async fn name(redis: &Redis) -> Result<Option<String>> {
    User::load_field(redis, 42, User::NAME).await
}

async fn load(redis: &Redis) -> Result<Option<User>> {
    User::load(redis, 42).await
}

fn main() {}
