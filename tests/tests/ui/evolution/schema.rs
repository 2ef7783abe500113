use redis_model::hash::StoredFields;
use redis_model::prelude::*;

fn upgrade(_: &mut StoredFields, _: u32) -> std::result::Result<(), String> {
    Ok(())
}

macro_rules! users {
    ($($name:ident: $(#[$attr:meta])+;)*) => {$(
        #[derive(RedisModel)]
        $(#[$attr])+
        struct $name {
            #[redis(id)]
            id: u64,
        }
    )*};
}

users! {
    First: #[redis(prefix = "user", schema_version = 1, upgrade = upgrade)];
    Text: #[redis(prefix = "user", schema_version = "2", upgrade = upgrade)];
    WithoutFunction: #[redis(prefix = "user", schema_version = 2)];
    WithoutVersion: #[redis(prefix = "user", upgrade = upgrade)];
    NotAPath: #[redis(prefix = "user", schema_version = 2, upgrade = 7)];
}

#[derive(RedisModel)]
#[redis(prefix = "user", schema_version = 2, upgrade = upgrade)]
struct Reserved {
    #[redis(id)]
    id: u64,
    #[redis(rename = ":schema")]
    schema: u32,
}

#[derive(RedisModel)]
#[redis(list, prefix = "inbox", schema_version = 2, upgrade = upgrade)]
struct Message {
    text: String,
}

fn main() {}
