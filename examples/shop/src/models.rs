//! What the shop stores.

use std::time::SystemTime;

use redis_model::Ref;
use redis_model::prelude::*;
use serde_derive::{Deserialize, Serialize};
use ulid::Ulid;

/// A customer, at `shop-user:ID`. No two have the same e-mail address.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "shop-user", validate = check_email)]
pub(crate) struct User {
    #[redis(id)]
    pub(crate) id: u64,
    #[redis(unique)]
    pub(crate) email: String,
    pub(crate) name: String,
    #[redis(index)]
    pub(crate) country: Country,
    pub(crate) orders: u32,
    /// Counts the writes. A save of a stale copy fails.
    #[redis(version)]
    pub(crate) version: u64,
}

/// Runs before each write of a whole user.
fn check_email(user: &User) -> Result<(), String> {
    if user.email.contains('@') { Ok(()) } else { Err(format!("{:?} is not an e-mail address", user.email)) }
}

#[derive(Debug, Clone, Copy, PartialEq, RedisModel)]
#[redis(rename_all = "lowercase")]
pub(crate) enum Country {
    Tr,
    Uk,
}

/// Something to buy, at `shop-product:SKU`.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "shop-product")]
pub(crate) struct Product {
    #[redis(id)]
    pub(crate) sku: String,
    #[redis(index)]
    pub(crate) name: String,
    #[redis(index)]
    pub(crate) cents: u32,
    /// An entry in the index for each tag.
    #[redis(index)]
    pub(crate) tags: Vec<String>,
    /// It cannot go below zero: a patch that would make it negative fails.
    pub(crate) stock: u32,
}

/// An order, at `shop-order:ID`. The compound index finds the latest orders of a customer.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "shop-order", index(user, placed_at))]
pub(crate) struct Order {
    #[redis(id)]
    pub(crate) id: Ulid,
    pub(crate) user: Ref<User>,
    pub(crate) placed_at: SystemTime,
    #[redis(index)]
    pub(crate) status: Status,
    pub(crate) cents: u32,
    #[redis(json)]
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, RedisModel)]
#[redis(rename_all = "lowercase")]
pub(crate) enum Status {
    Placed,
    Shipped,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) sku: String,
    pub(crate) quantity: u32,
}

/// The cart of a customer, at `shop-cart:ID`. It expires 30 minutes after it was last loaded or saved.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "shop-cart", ttl = "30m", sliding)]
pub(crate) struct Cart {
    #[redis(id)]
    pub(crate) user: u64,
    #[redis(json)]
    pub(crate) lines: Vec<Line>,
}
