// A field's constant encodes a value itself: `field.pair(&value)`.
use redis_model::codec::Codec;
use redis_model::prelude::*;
use redis_model::hash::FieldRef;

#[derive(RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    visits: i64,
}

fn text<M, T, C: Codec<T>>(field: FieldRef<M, T, C>, value: &T) -> String {
    let mut text = String::new();
    let _ = C::encode(value, &mut text);
    text
}

fn main() {
    text(User::VISITS, &5);
}
