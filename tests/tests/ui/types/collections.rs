use std::collections::HashMap;

use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    scores: HashMap<String, u64>,
    avatar: Vec<u8>,
    name: &'static str,
}

fn main() {}
