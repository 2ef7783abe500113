use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "order")]
struct Event {
    #[redis(skip)]
    cache: u8,
}

fn main() {}
