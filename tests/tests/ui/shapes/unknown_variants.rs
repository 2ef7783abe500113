use redis_model::stream::UnknownEvent;
use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "orders")]
enum Twice {
    Paid { cents: i64 },
    #[redis(unknown)]
    Other,
    #[redis(unknown)]
    More(UnknownEvent),
}

#[derive(RedisModel)]
#[redis(stream, prefix = "orders")]
enum Named {
    Paid { cents: i64 },
    #[redis(unknown, rename = "other")]
    Other { name: String },
}

#[derive(RedisModel)]
#[redis(stream, prefix = "orders")]
enum Alone {
    #[redis(unknown)]
    Other(UnknownEvent),
}

#[derive(RedisModel)]
#[redis(list, prefix = "jobs")]
enum Job {
    Resize { width: u32 },
    #[redis(unknown)]
    Other,
}

#[derive(RedisModel)]
enum Role {
    Admin,
    #[redis(other)]
    Other,
}

fn main() {}
