//! What the service stores.

use redis_model::Ref;
use redis_model::prelude::*;
use serde_derive::{Deserialize, Serialize};
use uuid::Uuid;

/// A user, at `axum-user:ID`. No two have the same e-mail address.
#[derive(Debug, Clone, RedisModel, Serialize)]
#[redis(prefix = "axum-user", validate = check)]
pub(crate) struct User {
    #[redis(id)]
    pub(crate) id: Uuid,
    #[redis(unique)]
    pub(crate) email: String,
    pub(crate) name: String,
    #[redis(index)]
    pub(crate) country: Country,
    /// Counts the writes. A change of a stale copy fails.
    #[redis(version)]
    pub(crate) version: u64,
}

/// Runs before each write of a whole user.
fn check(user: &User) -> Result<(), String> {
    if user.email.contains('@') { Ok(()) } else { Err("this is not an e-mail address".into()) }
}

#[derive(Debug, Clone, Copy, RedisModel, Serialize, Deserialize)]
#[redis(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub(crate) enum Country {
    Tr,
    Uk,
}

/// A session, at `axum-session:ID`. It expires 30 minutes after the last request that has used it: `sliding` renews the
/// time to live with each load. The id is the secret in the cookie: 122 random bits.
#[derive(Debug, RedisModel)]
#[redis(prefix = "axum-session", ttl = "30m", sliding)]
pub(crate) struct Session {
    #[redis(id)]
    pub(crate) id: Uuid,
    pub(crate) user: Ref<User>,
}

/// A sorted set: the best score of each user.
pub(crate) const LEADERBOARD: &str = "axum-leaderboard";

/// The key of a login link, whose value is the id of the user. The token is the secret in the link.
pub(crate) fn login_key(token: Uuid) -> String {
    format!("axum-login:{token}")
}
