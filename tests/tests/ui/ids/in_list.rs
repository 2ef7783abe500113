use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(list, prefix = "inbox")]
struct Message {
    #[redis(id)]
    id: u64,
}

fn main() {}
