use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    name: String,
    #[redis(index)]
    tags: Vec<String>,
}

fn main() {
    let _ = User::query().eq(User::TAGS, "new");
    let _ = User::query().contains(User::NAME, "Ada");
    let _ = User::query().contains(User::TAGS, "new").order_by(User::TAGS);
}
