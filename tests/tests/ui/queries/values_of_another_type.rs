use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    name: String,
    #[redis(index)]
    age: u8,
}

fn main() {
    let _ = User::query().eq(User::AGE, "18");
    let _ = User::query().range(User::AGE, "18".."30");
    let _ = User::query().range(User::AGE, 18);
    let _ = User::query().prefix(User::AGE, "1");
    let _ = User::query().any_of(User::AGE, 18);
}
