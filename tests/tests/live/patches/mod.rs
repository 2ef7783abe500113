//! Patches, units of work, and records that are loaded, changed and saved.

mod calls;
mod fields;
mod versions;

use redis_model::commands::sorted_set::ZRange;
use redis_model::prelude::*;
use serde_derive::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, RedisModel)]
#[redis(rename_all = "lowercase")]
enum Country {
    Tr,
    Uk,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    dark: bool,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Address {
    city: String,
    zip: Option<String>,
}

/// A model without indexes.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pa-plain")]
struct Plain {
    #[redis(id)]
    id: u64,
    name: String,
    bio: Option<String>,
    visits: i64,
    level: u8,
    score: f64,
    country: Country,
    #[redis(json)]
    settings: Settings,
    #[redis(flatten)]
    address: Address,
    #[redis(alias = "nick")]
    nickname: Option<String>,
}

/// One with indexes and a version.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pa-user", index(country, age))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    country: Country,
    #[redis(index)]
    age: u8,
    #[redis(index)]
    tags: Vec<String>,
    visits: i64,
    bio: Option<String>,
    #[redis(version)]
    version: u64,
}

fn plain(id: u64) -> Plain {
    Plain {
        id,
        name: "Ada".into(),
        bio: Some("Mathematician".into()),
        visits: 7,
        level: 250,
        score: 0.5,
        country: Country::Uk,
        settings: Settings { dark: false },
        address: Address { city: "London".into(), zip: None },
        nickname: None,
    }
}

fn user(id: u64) -> User {
    User {
        id,
        email: format!("{id}@example.org"),
        country: Country::Tr,
        age: 36,
        tags: vec!["a".into(), "b".into()],
        visits: 0,
        bio: None,
        version: 0,
    }
}

/// Returns the entries of an index that belong to this record.
async fn entries(redis: &Redis, index: &str, id: u64) -> Result<Vec<String>> {
    let all: Vec<String> = redis.zrange(format!("pa-user::index:{index}"), ZRange::rank(0, -1)).await?;
    let end = format!("\0{id}");
    Ok(all.iter().filter_map(|entry| entry.strip_suffix(&end)).map(str::to_owned).collect())
}
