use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(defualt)]
    visits: u64,
    #[redis(jsn)]
    tags: String,
    #[redis(renamed = "mail")]
    email: String,
    #[redis(wiht = Hex)]
    colour: u32,
}

fn main() {}
