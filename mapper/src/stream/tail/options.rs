//! Options of a tail.

use super::polling::Polling;
use super::token::TailToken;

/// Options of [`Log::tail_with`](crate::Log::tail_with) and
/// [`StreamModel::tail_many_with`](crate::StreamModel::tail_many_with).
///
/// ```no_run
/// use std::time::Duration;
/// use redis_model::Since;
/// use redis_model::stream::{Polling, TailOptions};
/// # use redis_model::prelude::*;
/// # #[derive(Debug, RedisModel)]
/// # #[redis(stream, prefix = "order-events")]
/// # enum OrderEvent { Paid { cents: i64 } }
/// # async fn example(redis: Redis) -> Result<()> {
/// let thrifty = TailOptions::new().polling(Polling::default().max(Duration::from_secs(60)));
/// let mut events = OrderEvent::log(17).tail_with(&redis, Since::Now, thrifty);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct TailOptions {
    pub(super) page: u64,
    pub(super) polling: Polling,
    pub(super) wake_ups: Option<bool>,
    pub(super) retries: u32,
    pub(super) token: Option<TailToken>,
}

impl Default for TailOptions {
    fn default() -> Self {
        TailOptions { page: 500, polling: Polling::default(), wake_ups: None, retries: 3, token: None }
    }
}

impl TailOptions {
    /// Pages of 500 entries, wake-ups if the model publishes, and the default [`Polling`].
    pub fn new() -> Self {
        TailOptions::default()
    }

    /// Sets how many entries one read returns at most. A tail holds no more than these. It is at least 1, and for
    /// several logs at least 1 each.
    pub fn page(mut self, entries: u64) -> Self {
        self.page = entries.clamp(1, 1_000_000);
        self
    }

    /// Sets how often the tail asks for new entries.
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// Sets whether the tail subscribes to wake-ups. By default it does if the model has the attribute `publish`.
    /// Each log then has a connection of its own: with very many logs in one tail, polling can be better.
    pub fn wake_ups(mut self, wake_ups: bool) -> Self {
        self.wake_ups = Some(wake_ups);
        self
    }

    /// Sets how many failed reads in a row the tail retries before it yields the error. Each read is a request, with
    /// the client's own [retries](redis_rest::RetryPolicy). 3 by default.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Continues where the tail of this token stood. A log that the token does not name starts at its own
    /// [`Since`](crate::Since).
    pub fn resume(mut self, token: TailToken) -> Self {
        self.token = Some(token);
        self
    }
}
