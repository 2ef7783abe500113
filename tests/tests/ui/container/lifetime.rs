use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User<'a> {
    #[redis(id)]
    id: u64,
    #[redis(skip)]
    name: &'a str,
}

fn main() {}
