//! How a full write treats the time to live.

use std::time::Duration;

use redis_rest::{Error, ErrorKind, Result};

use crate::write::Lifetime;

/// Options of [`save_with`](crate::HashModel::save_with), [`insert_with`](crate::HashModel::insert_with) and
/// [`update_with`](crate::HashModel::update_with): the time to live of the record.
///
/// Without options, a full write sets the time to live of the model, `#[redis(ttl = "..")]`, and keeps the record's own if the
/// model has none.
///
/// ```no_run
/// use std::time::Duration;
/// use redis_model::hash::SaveOptions;
/// use redis_model::commands::expiry::Ttl;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(prefix = "session", ttl = "30m")]
/// struct Session {
///     #[redis(id)]
///     id: String,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let session = Session { id: "k3j9".into() };
/// session.save(&redis).await?; // 30 minutes
/// session.save_with(&redis, SaveOptions::new().ttl(Duration::from_secs(60))).await?;
/// session.save_with(&redis, SaveOptions::new().persist()).await?;
/// assert_eq!(Session::ttl(&redis, "k3j9").await?, Ttl::Persistent);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SaveOptions {
    lifetime: Option<Choice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Ttl(Duration),
    Keep,
    Persist,
}

impl SaveOptions {
    /// Creates options that change nothing.
    #[must_use]
    pub fn new() -> Self {
        SaveOptions::default()
    }

    /// Makes the record expire after `ttl`.
    ///
    /// A time below one millisecond fails as `InvalidInput`.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        SaveOptions { lifetime: Some(Choice::Ttl(ttl)) }
    }

    /// Keeps the time to live that the record has, if any.
    #[must_use]
    pub fn keep_ttl(self) -> Self {
        SaveOptions { lifetime: Some(Choice::Keep) }
    }

    /// Removes the time to live: the record does not expire.
    #[must_use]
    pub fn persist(self) -> Self {
        SaveOptions { lifetime: Some(Choice::Persist) }
    }

    /// Returns what a write of a model with this time to live does.
    pub(super) fn lifetime(self, of_model: Option<Duration>) -> Result<Lifetime> {
        match (self.lifetime, of_model) {
            (Some(Choice::Ttl(ttl)), _) | (None, Some(ttl)) => set(ttl),
            (Some(Choice::Persist), _) => Ok(Lifetime::Persist),
            (Some(Choice::Keep), _) | (None, None) => Ok(Lifetime::Keep),
        }
    }
}

/// The largest time to live, in milliseconds. It is some thousand years; with more, a server adds it to its clock and overflows.
const MAX_MILLIS: u128 = 1 << 47;

/// Returns a time to live, if Redis takes it.
pub(super) fn set(ttl: Duration) -> Result<Lifetime> {
    if ttl.as_millis() == 0 {
        let why = "a time to live of less than 1 ms would delete the record; use `delete`, or a longer time";
        return Err(Error::new(ErrorKind::InvalidInput, why));
    }
    if ttl.as_millis() > MAX_MILLIS {
        let why = "a time to live of more than 4,000 years is too long for Redis; use `persist`, or a shorter time";
        return Err(Error::new(ErrorKind::InvalidInput, why));
    }
    Ok(Lifetime::Set(ttl))
}
