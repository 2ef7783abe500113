//! Models on a real server.

mod hashes;
mod ids;
mod lists;
mod logs;

use redis_model::prelude::*;
use serde_derive::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    dark: bool,
    tags: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Place {
    city: String,
    zip: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "inbox")]
struct Message {
    from: String,
    stars: u8,
    #[redis(json)]
    settings: Option<Settings>,
    score: f64,
}
