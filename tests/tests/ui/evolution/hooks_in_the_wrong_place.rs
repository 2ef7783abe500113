use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(embedded, validate = Address::check)]
struct Address {
    city: String,
}

impl Address {
    fn check(&self) -> std::result::Result<(), String> {
        Ok(())
    }
}

#[derive(Clone, RedisModel)]
#[redis(stream, prefix = "orders", before_save = Order::stamp, after_load = Order::stamp)]
struct Order {
    total: u64,
    #[redis(validate = check)]
    code: String,
}

impl Order {
    fn stamp(&mut self) {}
}

#[derive(RedisModel)]
#[redis(prefix = "user", validate = "not a path", pre_save = stamp)]
struct User {
    #[redis(id)]
    id: u64,
}

fn main() {}
