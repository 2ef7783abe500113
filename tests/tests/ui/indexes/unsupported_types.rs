use std::collections::HashMap;
use std::net::SocketAddrV6;

use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "user", index(id_card, peer))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(json, index)]
    scores: HashMap<String, u64>,
    #[redis(text)]
    peer: SocketAddrV6,
    id_card: String,
    #[redis(index)]
    nested: Vec<Vec<String>>,
    #[redis(unique)]
    labels: Labels,
}

#[derive(RedisModel)]
struct Labels(Vec<String>);

fn main() {}
