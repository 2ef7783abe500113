//! Records with indexes under attack: bytes that are not text, other programs, full and odd values, limits of types.
//!
//! Each test says what holds, on Redis 8.2, Valkey 9.1 and, if it is installed, Redis 7.0.

mod bytes;
mod earlier_names;
mod limits;
mod lost_keys;
mod odd_values;
mod other_programs;
mod sizes;
mod time;
mod versions;

use redis_model::HashModel;
use redis_model::prelude::*;
use redis_model_tests::{ENCODINGS, Stack, own_servers};

/// A server of each kind.
fn servers() -> impl Iterator<Item = Stack> {
    own_servers().into_iter().map(|(_, stack)| stack)
}

/// A client of each encoding.
fn clients(server: &Stack) -> Result<Vec<Redis>> {
    ENCODINGS.into_iter().map(|encoding| server.builder().encoding(encoding).build()).collect()
}

/// Fails if the indexes of a model are not what its records say.
async fn no_drift<M: HashModel + Send + Sync>(redis: &Redis) -> Result<()> {
    let drift = M::verify_to_end(redis).await?;
    assert!(drift.is_empty(), "{drift:?}");
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: String,
    #[redis(unique)]
    email: String,
    visits: u64,
}

fn user(id: &str, email: &str) -> User {
    User { id: id.into(), email: email.into(), visits: 0 }
}
