use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "host")]
struct Host {
    #[redis(id, text)]
    name: String,
}

fn main() {}
