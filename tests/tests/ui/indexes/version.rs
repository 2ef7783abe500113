use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(version)]
    version: Option<u64>,
    #[redis(version)]
    other: u64,
}

#[derive(RedisModel)]
#[redis(prefix = "order", index(version, total))]
struct Order {
    #[redis(id)]
    id: u64,
    #[redis(version, json, default, alias = "revision")]
    version: u64,
    total: u64,
}

#[derive(RedisModel)]
#[redis(prefix = "cart")]
struct Cart {
    #[redis(id, version)]
    id: u64,
    #[redis(skip, version)]
    etag: u64,
}

fn main() {}
