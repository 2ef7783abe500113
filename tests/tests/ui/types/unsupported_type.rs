use redis_model::prelude::*;

struct Tag {
    text: String,
}

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    first: Tag,
    all: Vec<Tag>,
}

fn main() {}
