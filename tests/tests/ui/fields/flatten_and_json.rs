use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(flatten, json)]
    place: Place,
}

#[derive(RedisModel)]
#[redis(embedded)]
struct Place {
    city: String,
}

fn main() {}
