use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "my::user", index(plus, equals))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(index, rename = "a:b")]
    colon: String,
    #[redis(rename = "a+b")]
    plus: String,
    #[redis(rename = "a=b")]
    equals: String,
    #[redis(unique, rename = "a b")]
    space: String,
    #[redis(unique, rename = "a;b")]
    semicolon: String,
    #[redis(rename = "a:b,c")]
    not_in_an_index: String,
}

fn main() {}
