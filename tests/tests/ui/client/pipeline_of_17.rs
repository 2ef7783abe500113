// A 17th command: the tuple of replies holds 16.
use redis_model::prelude::*;

async fn example(redis: Redis) -> Result<()> {
    let four = |key| redis.pipeline().incr(key).incr(key).incr(key).incr(key);
    let twelve = four("a").incr("b").incr("b").incr("b").incr("b").incr("c").incr("c").incr("c").incr("c");
    let sixteen = twelve.incr("d").incr("d").incr("d").incr("d");
    sixteen.incr("e").exec().await?;
    Ok(())
}

fn main() {}
