use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    age: u8,
    bio: Option<String>,
}

fn main() {
    let _ = User::query().eq(User::BIO, "mathematician");
    let _ = User::query().range(User::AGE, 18..).order_by(User::BIO);
}
