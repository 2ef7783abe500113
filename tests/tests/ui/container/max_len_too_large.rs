use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "user", max_len = 18_446_744_073_709_551_615)]
struct User {
    name: String,
}

fn main() {}
