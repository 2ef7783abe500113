//! The record of 12 fields with 3 indexes that the benchmarks write.

use redis_model::prelude::*;

/// A record of 12 fields with 3 indexes.
#[derive(Debug, Clone, RedisModel)]
#[redis(prefix = "user")]
pub struct User {
    /// From 1.
    #[redis(id)]
    pub id: usize,
    /// `user1@example.org`.
    #[redis(unique)]
    pub email: String,
    /// One of four.
    #[redis(index)]
    pub country: String,
    /// Below 80.
    #[redis(index)]
    pub age: u8,
    /// `Ada Lovelace 1`.
    pub name: String,
    /// The same for all, as what follows.
    pub street: String,
    /// `London`.
    pub city: String,
    /// `SW1Y 4JH`.
    pub zip: String,
    /// `+44 20 7946 0000`.
    pub phone: String,
    /// 17.
    pub visits: u64,
    /// 0.25.
    pub score: f64,
    /// True.
    pub active: bool,
}

impl User {
    /// Returns the record with this id.
    pub fn new(id: usize) -> Self {
        User {
            id,
            email: format!("user{id}@example.org"),
            country: country(id).into(),
            age: u8::try_from(id % 80).unwrap_or_default(),
            name: format!("Ada Lovelace {id}"),
            street: "12 St James's Square".into(),
            city: "London".into(),
            zip: "SW1Y 4JH".into(),
            phone: "+44 20 7946 0000".into(),
            visits: 17,
            score: 0.25,
            active: true,
        }
    }
}

/// Returns the country of the record with this id.
pub fn country(id: usize) -> &'static str {
    ["TR", "UK", "DE", "FR"].get(id % 4).copied().unwrap_or_default()
}
