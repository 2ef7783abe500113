use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "order")]
enum Event {
    Moved(String, String),
}

fn main() {}
