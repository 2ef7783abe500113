//! A change fits the type of its field.

use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    name: String,
    age: u8,
    score: f32,
}

fn patches() {
    let _ = User::patch(42).clear(User::NAME);
    let _ = User::patch(42).incr(User::NAME, 1);
    let _ = User::patch(42).incr(User::SCORE, 1);
    let _ = User::patch(42).incr_by_float(User::SCORE, 0.5);
    let _ = User::patch(42).append(User::AGE, "1");
    let _ = User::patch(42).set(User::AGE, "old");
}

fn main() {}
