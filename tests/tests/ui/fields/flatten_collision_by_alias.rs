use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    name: String,
    #[redis(flatten)]
    place: Place,
}

#[derive(RedisModel)]
#[redis(embedded)]
struct Place {
    #[redis(alias = "name")]
    city: Option<String>,
}

fn main() {}
