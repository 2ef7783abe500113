use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "order")]
enum Event {
    Paid,
    #[redis(rename = "Paid")]
    Payed,
}

fn main() {}
