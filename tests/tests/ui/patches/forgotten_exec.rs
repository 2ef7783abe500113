//! A patch and a unit say that they were not sent.

#![deny(unused_must_use)]

use redis_model::Unit;
use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    visits: i64,
}

fn forget() {
    User::patch(42).incr(User::VISITS, 1);
    Unit::new().delete::<User>(42);
}

fn main() {}
