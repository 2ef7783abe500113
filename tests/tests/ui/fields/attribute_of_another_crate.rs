use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(name = "mail")]
    email: String,
    #[redis(skip_serializing_if = "Option::is_none")]
    bio: Option<String>,
    #[redis(serialize_with = "hex")]
    colour: u32,
    #[redis(bytes)]
    avatar: String,
    #[redis(ttl = 60)]
    code: String,
}

fn main() {}
