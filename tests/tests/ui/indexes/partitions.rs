use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "a", partitions = 0)]
struct Zero {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    name: String,
}

#[derive(RedisModel)]
#[redis(prefix = "b", partitions = 257)]
struct Many {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    name: String,
}

#[derive(RedisModel)]
#[redis(prefix = "c", partitions = "16")]
struct Text {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    name: String,
}

#[derive(RedisModel)]
#[redis(prefix = "d", partitions = 16)]
struct NoIndex {
    #[redis(id)]
    id: u64,
    name: String,
}

fn main() {}
