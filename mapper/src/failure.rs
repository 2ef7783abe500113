//! What a handler returns if it has failed.

use std::fmt;
use std::time::Duration;

/// Why a handler of a [`Worker`](crate::Worker) or a [`QueueWorker`](crate::QueueWorker) failed, and what follows.
/// Handlers need it only to say what follows: any error that implements `Display` is one, by `?` or as the error type
/// of the handler, and the entry or job is handled again after the delay of [`retry`](crate::Worker::retry).
///
/// ```no_run
/// use std::time::Duration;
///
/// use redis_model::Failure;
/// use redis_model::prelude::*;
/// use redis_model::stream::Delivered;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, prefix = "order-events")]
/// enum OrderEvent {
///     Placed { sku: String },
/// }
///
/// #[derive(Debug)] // and `thiserror::Error`
/// enum StockError {
///     NoSuchSku,
///     Busy,
///     Broken,
/// }
/// # impl std::fmt::Display for StockError {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{self:?}") }
/// # }
/// # async fn reserve(sku: &str) -> Result<(), StockError> { Ok(()) }
/// fn failure(error: StockError) -> Failure {
///     match error {
///         StockError::NoSuchSku => Failure::dead(error),
///         StockError::Busy => Failure::retry_after(Duration::from_secs(3600), error),
///         StockError::Broken => Failure::from(error), // as `?` does
///     }
/// }
///
/// async fn handle(placed: Delivered<OrderEvent>) -> Result<(), Failure> {
///     let OrderEvent::Placed { sku } = placed.event;
///     reserve(&sku).await.map_err(failure)
/// }
///
/// assert!(failure(StockError::NoSuchSku).is_dead());
///
/// # async fn example(redis: Redis) -> Result<()> {
/// Worker::new(OrderEvent::log(17).group("stock"), "worker-1").run(&redis, handle).await
/// # }
/// ```
///
/// Its text is that of `{error:#}`: an `anyhow::Error` writes its causes too. An error whose causes are only its
/// [`source`](std::error::Error::source) is kept without them: put them into its own text.
///
/// It does not implement `Display` or `Error` itself: that is what lets it be made from every type that does. So a
/// function that returns it cannot be called with `?` where another error is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a failure does something only if the handler returns it as its error"]
pub struct Failure {
    pub(crate) why: String,
    pub(crate) then: Then,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The entry is handled again after a delay that doubles.
    Retry,
    RetryAfter(Duration),
    Dead,
}

/// Longer than any program runs, and short enough to be added to any time.
const LONGEST_WAIT: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl Failure {
    /// The entry is a dead letter at once, however many attempts [`max_deliveries`](crate::Worker::max_deliveries)
    /// leaves it. The text of the error is kept with the dead letter. A job is [dead](crate::Queue::dead) at once.
    pub fn dead(error: impl fmt::Display) -> Self {
        Failure::new(error, Then::Dead)
    }

    /// The entry is handled again after this time, instead of the delay of [`retry`](crate::Worker::retry). The attempt
    /// counts: the last one of [`max_deliveries`](crate::Worker::max_deliveries) makes it a dead letter.
    ///
    /// A job waits in its queue, where it costs nothing.
    ///
    /// The time of an entry is kept on the server, so it holds too if the worker ends or dies, and another one takes
    /// the entry. Until then, the entry is pending with the worker: it counts for
    /// [`max_pending`](crate::Worker::max_pending), and the worker sends heartbeats. So a worker can let up to 1,000
    /// entries wait, and reads nothing more when all that it may hold are waiting; where many wait for long, make them
    /// dead letters, and [`redrive`](crate::Group::redrive) them. The time is sent with the next request.
    pub fn retry_after(wait: Duration, error: impl fmt::Display) -> Self {
        Failure::new(error, Then::RetryAfter(wait.min(LONGEST_WAIT)))
    }

    /// Whether it is one of [`dead`](Failure::dead).
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.then == Then::Dead
    }

    /// Returns the time of [`retry_after`](Failure::retry_after), if it is one of that.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        match self.then {
            Then::RetryAfter(wait) => Some(wait),
            Then::Retry | Then::Dead => None,
        }
    }

    /// Returns the text of the error.
    #[must_use]
    pub fn error(&self) -> &str {
        &self.why
    }

    fn new(error: impl fmt::Display, then: Then) -> Self {
        Failure { why: format!("{error:#}"), then }
    }
}

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::new(error, Then::Retry)
    }
}
