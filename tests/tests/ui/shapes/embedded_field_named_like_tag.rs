use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "order")]
enum Event {
    Moved(Place),
}

#[derive(RedisModel)]
#[redis(embedded)]
struct Place {
    event: Option<String>,
}

fn main() {}
