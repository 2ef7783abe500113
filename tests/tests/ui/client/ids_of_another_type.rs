// An id is what its field is.
use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
}

async fn example(redis: Redis, id: i32) -> Result<()> {
    User::load(&redis, id).await?;
    User::load(&redis, &5).await?;
    User::load(&redis, "5").await?;
    User::load_many(&redis, vec!["5".to_owned()]).await?;
    Ok(())
}

fn main() {}
