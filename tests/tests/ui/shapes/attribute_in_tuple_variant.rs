use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "order")]
enum Event {
    Moved(#[redis(json)] Place),
}

#[derive(RedisModel)]
#[redis(embedded)]
struct Place {
    city: String,
}

fn main() {}
