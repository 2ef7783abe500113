// What is not sent, or not looked at, is a warning.
#![deny(unused_must_use)]
use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
}

async fn example(redis: Redis) {
    redis.set("a", 1);
    User::delete(&redis, 1);
    redis.pipeline().incr("a");
    redis.pipeline().incr("a").exec();
    redis.batch().incr("a");
    redis.subscribe(["x"]);
    redis.with_deadline(std::time::Duration::from_secs(1));
    redis.check();
    User::scan(&redis);
}

fn main() {}
