use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "order")]
enum Event {
    Paid { event: String },
}

fn main() {}
