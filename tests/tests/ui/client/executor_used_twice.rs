// An executor can be a pipeline, which each command consumes; a `Client` can be used several times.
use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
}

fn example<E: Executor>(executor: E) -> E::Out<i64> {
    User::load(executor, 1);
    executor.incr("hits")
}

fn main() {}
