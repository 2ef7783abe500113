use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user", before_save = User::stamp, validate = User::check, after_load = User::loaded)]
struct User {
    #[redis(id)]
    id: u64,
}

impl User {
    fn stamp(&mut self) {}

    fn check(&self) -> bool {
        true
    }

    fn loaded(self) {}
}

fn main() {}
