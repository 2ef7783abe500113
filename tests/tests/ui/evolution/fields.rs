use std::collections::BTreeMap;

use redis_model::prelude::*;

fn convert(old: String) -> std::result::Result<u8, std::num::ParseIntError> {
    old.parse()
}

#[derive(RedisModel)]
#[redis(prefix = "user", index(extra, level))]
struct User {
    #[redis(id, from = String, convert = convert)]
    id: u8,
    #[redis(unknown, rename = "rest", index)]
    extra: BTreeMap<String, String>,
    #[redis(unknown)]
    more: Option<BTreeMap<String, String>>,
    #[redis(from = String)]
    level: u8,
    #[redis(convert = convert)]
    age: u8,
    #[redis(skip, from = String, convert = convert)]
    cache: u8,
    #[redis(from = "String", convert = convert)]
    quoted: u8,
    #[redis(extra)]
    rest: BTreeMap<String, String>,
}

#[derive(RedisModel)]
#[redis(embedded)]
struct Address {
    city: String,
    #[redis(unknown)]
    extra: BTreeMap<String, String>,
}

#[derive(RedisModel)]
#[redis(stream, prefix = "orders")]
enum Event {
    Placed {
        #[redis(from = String, convert = convert)]
        quantity: u8,
    },
}

fn main() {}
