use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "orders")]
enum OrderEvent {
    Paid { cents: i64 },
    #[redis(unknown)]
    Other(String),
}

fn main() {}
