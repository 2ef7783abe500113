use redis_model::hash::StoredFields;
use redis_model::prelude::*;

fn to_text(old: u8) -> std::result::Result<String, String> {
    Ok(old.to_string())
}

fn without_from(_: &mut StoredFields) -> std::result::Result<(), String> {
    Ok(())
}

#[derive(RedisModel)]
#[redis(prefix = "user", schema_version = 2, upgrade = without_from)]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(from = String, convert = to_text)]
    level: u8,
    #[redis(unknown)]
    extra: Vec<String>,
}

fn main() {}
