// A forgotten `.await`. rustc advises it for `?`; elsewhere it names the type, `Request`.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<i64> {
    let hits = redis.incr("hits")?;
    redis.pipeline().incr("hits").exec()?;
    let count: i64 = redis.incr("hits");
    let count = redis.incr("hits").unwrap();
    if let Some(name) = redis.get::<String>("name") {}
    redis.incr("hits")
}

fn main() {}
