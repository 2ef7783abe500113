use redis_model::prelude::*;
use serde_derive::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, RedisModel)]
#[redis(list, prefix = "points", json, rename_all = "camelCase")]
struct Point {
    #[redis(rename = "across")]
    x: i32,
}

fn main() {
    let _ = Point::list(1).len(redis_model::redis_rest::Build);
}
