use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(list, prefix = "inbox", ttl = "30m", sliding, partitions = 16, index(from, stars))]
struct Message {
    #[redis(index)]
    from: String,
    stars: u8,
}

#[derive(RedisModel)]
#[redis(stream, prefix = "orders")]
enum Event {
    Placed {
        #[redis(unique)]
        sku: String,
    },
    Closed {
        #[redis(version)]
        version: u64,
    },
}

#[derive(RedisModel)]
#[redis(ttl = "1h")]
enum Role {
    Admin,
}

#[derive(RedisModel)]
#[redis(embedded, ttl = "1h")]
struct Address {
    #[redis(version)]
    version: u64,
}

#[derive(RedisModel)]
#[redis(prefix = "user", ttl = "1h")]
struct User {
    #[redis(id, unique)]
    id: u64,
    #[redis(skip, index)]
    cache: String,
    #[redis(flatten, index)]
    address: Address,
    #[redis(index, unique)]
    email: String,
    #[redis(index, base64)]
    avatar: Vec<u8>,
}

#[derive(RedisModel)]
#[redis(prefix = "order", version)]
struct Order {
    #[redis(id)]
    id: u64,
    #[redis(ttl = "1h")]
    code: String,
    #[redis(indexed)]
    total: u64,
}

fn main() {}
