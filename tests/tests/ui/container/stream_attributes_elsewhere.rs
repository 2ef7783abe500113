use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user", max_age = "30d", publish)]
struct User {
    #[redis(id)]
    id: u64,
}

#[derive(RedisModel)]
#[redis(list, prefix = "job", exact)]
struct Job {
    name: String,
    #[redis(max_age = "1h")]
    at: u64,
}

fn main() {}
