use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(default = nobody)]
    name: Option<String>,
}

fn nobody() -> Option<String> {
    Some("nobody".into())
}

fn main() {}
