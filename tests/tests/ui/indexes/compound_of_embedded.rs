use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(embedded)]
struct Address {
    city: String,
}

#[derive(RedisModel)]
#[redis(prefix = "user", index(age, address.city), index(age, address.town))]
struct User {
    #[redis(id)]
    id: u64,
    age: u8,
    #[redis(flatten)]
    address: Address,
}

fn main() {}
