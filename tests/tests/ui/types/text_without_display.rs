use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(text)]
    settings: Settings,
    email: Email,
}

struct Settings;

#[derive(RedisModel)]
#[redis(text)]
struct Email(String);

fn main() {}
