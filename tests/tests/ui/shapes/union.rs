use redis_model::prelude::*;

#[derive(RedisModel)]
union Bits {
    int: u32,
    float: f32,
}

fn main() {}
