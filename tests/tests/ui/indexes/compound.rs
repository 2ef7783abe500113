use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(embedded)]
struct Address {
    #[redis(index)]
    city: String,
}

#[derive(RedisModel)]
#[redis(prefix = "user", index(country, contry), unique(country), index(), unique(country, age, country))]
#[redis(index(address, age), index(age.years, country), index(city, age), index(cache, age), unique(id, age))]
#[redis(index(country, age), unique(country, age))]
struct User {
    #[redis(id)]
    id: u64,
    country: String,
    age: u8,
    #[redis(skip)]
    cache: u8,
    #[redis(flatten)]
    address: Address,
}

#[derive(RedisModel)]
#[redis(prefix = "order", index, unique = "tenant", index("tenant", "number"))]
struct Order {
    #[redis(id)]
    id: u64,
    tenant: String,
    number: u64,
}

fn main() {}
