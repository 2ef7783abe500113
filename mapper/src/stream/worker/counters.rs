//! What a worker reports while it runs: counters, and notices of what somebody may have to look at.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis_rest::Error;
use redis_rest::commands::stream::StreamId;

use super::options::Options;

/// The counters of a worker, from [`Worker::counters`](super::Worker::counters). A clone counts the same.
///
/// ```no_run
/// # use redis_model::prelude::*;
/// # #[derive(Debug, RedisModel)]
/// # #[redis(stream, prefix = "order-events")]
/// # enum OrderEvent { Paid { cents: i64 } }
/// # async fn example(redis: Redis) -> Result<()> {
/// let worker = Worker::new(OrderEvent::log(17).group("billing"), "worker-1");
/// let counters = worker.counters();
/// std::thread::spawn(move || {
///     loop {
///         std::thread::sleep(std::time::Duration::from_secs(60));
///         let counts = counters.read();
///         println!("{} handled, {} dead letters", counts.handled, counts.dead);
///     }
/// });
/// worker.run(&redis, async |paid| -> Result<()> { println!("{:?}", paid.event); Ok(()) }).await
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Counters(Arc<Mutex<Counts>>);

/// What a worker has done so far: a reading of its [`Counters`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Entries that the worker has handled and acknowledged.
    pub handled: u64,
    /// Calls of the handler that returned an error or took too long, and events that could not be read.
    pub failed: u64,
    /// Starts of entries whose handling had begun before.
    pub retried: u64,
    /// Entries that the worker has moved to the dead-letter stream.
    pub dead: u64,
    /// Entries that the worker has taken from other consumers.
    pub reclaimed: u64,
    /// Entries that others have taken from the worker before it handled them.
    pub lost: u64,
    /// Entries that the worker has handled, and that were not its own any more then. Others may have handled them too.
    pub duplicates: u64,
    /// Entries that were removed from the log while they were pending: nobody can handle them. Several workers may count
    /// the same, as for `missed`.
    pub trimmed: u64,
    /// Entries that were removed from the log before they were delivered to anyone. Each worker of the group counts
    /// those that it notices before another one has reported them, so several may count the same: the sum
    /// over all workers can be more than what was lost.
    pub missed: u64,
    /// Requests that the worker has sent. Repetitions by the client are not counted.
    pub requests: u64,
    /// Requests that failed, and that the worker has repeated.
    pub errors: u64,
}

impl Counters {
    /// Returns what the worker has done so far.
    #[must_use]
    pub fn read(&self) -> Counts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, counter: impl FnOnce(&mut Counts) -> &mut u64, number: u64) {
        *counter(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)) += number;
    }
}

/// Something that happened to an entry, for [`Worker::on_notice`](super::Worker::on_notice).
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// The handler failed. The entry is handled again after a delay.
    Failed {
        /// The entry.
        id: StreamId,
        /// How often its handling has begun.
        attempt: u64,
        /// What the handler returned, as text.
        error: &'a str,
        /// The delay.
        retry_in: Duration,
    },
    /// The entry is in the dead-letter stream.
    Dead {
        /// The entry.
        id: StreamId,
        /// Why.
        error: &'a str,
    },
    /// The server has refused to add the dead letter, most often because it is out of memory. The worker keeps the
    /// entry, and tries again after a delay.
    NotBuried {
        /// The entry.
        id: StreamId,
        /// Why.
        error: &'a str,
        /// The delay.
        retry_in: Duration,
    },
    /// Another consumer has taken the entry. If this worker has handled it, it was perhaps handled twice.
    Lost {
        /// The entry.
        id: StreamId,
        /// Whether this worker has handled it.
        was_handled: bool,
    },
    /// The entry was removed from the log while it was pending. Nobody can handle it, unless a handler has it already.
    Trimmed {
        /// The entry.
        id: StreamId,
        /// The consumer that it was pending with.
        consumer: &'a str,
        /// How often its handling had begun.
        attempts: u64,
    },
    /// Entries were removed from the log before they were delivered.
    Missed {
        /// How many more than at the last notice.
        count: u64,
    },
    /// The log was deleted or begun again, and the group was gone with it. The worker has created it, and reads from the
    /// start.
    Recreated,
    /// A request failed. The worker repeats it.
    Repeated {
        /// Why.
        error: &'a Error,
    },
}

/// Counts what happens, and tells who wants to know.
#[derive(Debug)]
pub(super) struct Reporter<'a> {
    pub(super) counters: &'a Counters,
    pub(super) options: &'a Options,
    pub(super) log: &'a str,
    pub(super) group: &'a str,
}

impl Reporter<'_> {
    pub(super) fn notice(&self, notice: &Notice<'_>) {
        let (log, group) = (self.log, self.group);
        match notice {
            Notice::Failed { id, attempt, error, retry_in } => {
                tracing::warn!(log, group, %id, attempt, error, retry_in = ?retry_in, "the handler failed");
            }
            Notice::Dead { id, error } => tracing::error!(log, group, %id, error, "moved to the dead-letter stream"),
            Notice::NotBuried { id, error, retry_in } => {
                tracing::error!(log, group, %id, error, retry_in = ?retry_in, "not moved to the dead-letter stream");
            }
            Notice::Lost { id, was_handled } => {
                tracing::warn!(log, group, %id, was_handled, "another consumer has taken the entry");
            }
            Notice::Trimmed { id, consumer, attempts } => {
                tracing::error!(log, group, %id, consumer, attempts, "removed from the log while it was pending");
            }
            Notice::Missed { count } => {
                tracing::error!(log, group, count, "removed from the log before they were delivered");
            }
            Notice::Recreated => tracing::warn!(log, group, "the log was deleted; it is read from its start again"),
            Notice::Repeated { error } => tracing::warn!(log, group, error = %error, "a request is repeated"),
        }
        if let Some(on_notice) = &self.options.on_notice {
            on_notice(notice);
        }
    }

    pub(super) fn count(&self, counter: impl FnOnce(&mut Counts) -> &mut u64) {
        self.counters.add(counter, 1);
    }
}
