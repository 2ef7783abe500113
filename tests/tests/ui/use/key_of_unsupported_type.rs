use redis_model::prelude::*;

async fn get(redis: &Redis) -> Result<Option<String>> {
    redis.get(Some("key")).await
}

fn main() {}
