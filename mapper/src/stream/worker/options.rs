//! The settings of a worker, and the methods that set them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis_rest::commands::stream::GroupStart;
use redis_rest::{Error, ErrorKind, Result};

use super::Worker;
use super::counters::Notice;
use crate::pace::doubled;
use crate::stream::StreamModel;

/// The most entries that the hosted service lets be pending with one consumer.
pub(super) const MOST_PENDING: u64 = 1000;

/// The longest idle time. Entries that a worker gives up count as idle for that long, so that others take them at once.
const LONGEST_IDLE: Duration = Duration::from_secs(24 * 3600);

pub(super) type OnNotice = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

/// What is set by the methods of [`Worker`].
#[derive(Clone)]
pub(super) struct Options {
    pub(super) concurrency: usize,
    pub(super) batch: u64,
    pub(super) most_pending: u64,
    pub(super) timeout: Option<Duration>,
    pub(super) retry_delay: Duration,
    pub(super) longest_retry_delay: Duration,
    pub(super) max_deliveries: u64,
    pub(super) retries_undecodable: bool,
    pub(super) reclaim_idle: Duration,
    pub(super) heartbeat: Option<Duration>,
    pub(super) shortest_poll: Duration,
    pub(super) longest_poll: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) start: Option<GroupStart>,
    pub(super) on_notice: Option<OnNotice>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            concurrency: 8,
            batch: 100,
            most_pending: MOST_PENDING,
            timeout: None,
            retry_delay: Duration::from_secs(1),
            longest_retry_delay: Duration::from_secs(5 * 60),
            max_deliveries: 5,
            retries_undecodable: false,
            reclaim_idle: Duration::from_secs(60),
            heartbeat: None,
            shortest_poll: Duration::from_millis(100),
            longest_poll: None,
            grace: Duration::from_secs(25),
            start: Some(GroupStart::Beginning),
            on_notice: None,
        }
    }
}

impl Options {
    /// Returns the time between two heartbeats.
    pub(super) fn heartbeat(&self) -> Duration {
        self.heartbeat.unwrap_or(self.reclaim_idle / 4)
    }

    /// Returns the time between two polls when entries come. A worker that messages wake need not look for the next
    /// ones.
    pub(super) fn shortest_poll(&self, is_woken: bool) -> Duration {
        if is_woken { self.longest_poll(false) } else { self.shortest_poll }
    }

    /// Returns the longest time between two polls.
    pub(super) fn longest_poll(&self, is_woken: bool) -> Duration {
        let default = if is_woken { Duration::from_secs(60) } else { Duration::from_secs(5) };
        self.longest_poll.unwrap_or(default.max(self.shortest_poll))
    }

    /// Checks what no type can rule out.
    pub(super) fn check(&self) -> Result<()> {
        let why = if self.concurrency == 0 {
            "the concurrency is 0; a worker handles at least one entry at a time"
        } else if self.batch == 0 {
            "the batch size is 0; a worker reads at least one entry at a time"
        } else if self.max_deliveries == 0 {
            "max_deliveries is 0; each entry is handled at least once"
        } else if self.most_pending < self.concurrency as u64 {
            "max_pending is less than the concurrency; raise one, or lower the other"
        } else if self.shortest_poll.is_zero() || self.longest_poll(false) < self.shortest_poll {
            "the poll pace needs a shortest time of more than 0, and a longest time that is not less"
        } else if self.reclaim_idle > LONGEST_IDLE {
            "the idle time after which entries are reclaimed is longer than a day, the most that a worker takes"
        } else if self.heartbeat().is_zero() || self.heartbeat() > self.reclaim_idle / 2 {
            "a worker needs two heartbeats or more in the idle time after which its entries are reclaimed; lower \
             `heartbeat`, or raise `reclaim_idle`"
        } else if self.longest_retry_delay < self.retry_delay {
            "the longest delay of `retry` is less than the first"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::InvalidInput, why))
    }
}

/// Returns how long an entry waits after its `attempt`th failure, counted from 1.
pub(super) fn retry_delay(options: &Options, attempt: u64) -> Duration {
    doubled(options.retry_delay, options.longest_retry_delay, attempt)
}

impl<M: StreamModel> Worker<M> {
    /// Sets how many entries are handled at the same time. The default is 8.
    pub fn concurrency(mut self, entries: usize) -> Self {
        self.options.concurrency = entries;
        self
    }

    /// Sets how many entries are read by one request at most. The default is 100. A request reads no more than there
    /// are free handlers, and asks for fewer if they do not fit in one reply.
    pub fn batch(mut self, entries: u64) -> Self {
        self.options.batch = entries;
        self
    }

    /// Sets how many entries are pending with this worker at most: those in handlers, and those that wait for
    /// another attempt. The default is 1,000, the most that the hosted service allows; more is reduced to that.
    pub fn max_pending(mut self, entries: u64) -> Self {
        self.options.most_pending = entries.min(MOST_PENDING);
        self
    }

    /// Sets how long a handler may take. It is dropped then, and has failed. By default, it may take any time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sets how long an entry waits after its first failure, and at most. The wait doubles with each failure. The
    /// default is 1 second, up to 5 minutes. An entry that waits stays pending with its worker, and counts for
    /// [`max_pending`](Worker::max_pending). If the worker ends before, another one handles it, perhaps
    /// earlier; [`Failure::retry_after`](crate::Failure::retry_after) keeps a wait.
    pub fn retry(mut self, first: Duration, longest: Duration) -> Self {
        (self.options.retry_delay, self.options.longest_retry_delay) = (first, longest);
        self
    }

    /// Sets how often the handling of an entry begins before it becomes a dead letter. The default is 5.
    pub fn max_deliveries(mut self, deliveries: u64) -> Self {
        self.options.max_deliveries = deliveries;
        self
    }

    /// Sets the key of the dead-letter stream; see [`Group::with_dead_letters`](crate::Group::with_dead_letters).
    pub fn dead_letter(mut self, key: impl Into<String>) -> Self {
        self.group = self.group.with_dead_letters(key);
        self
    }

    /// Handles events that cannot be read as failures: they become dead letters after as many attempts, not at once.
    /// Use it while programs of different versions run, so that a newer worker has time to take what this one cannot
    /// read.
    pub fn retry_undecodable(mut self) -> Self {
        self.options.retries_undecodable = true;
        self
    }

    /// Sets the idle time after which a worker counts as dead, and others take its entries. The default is one minute,
    /// the most is a day. It must be longer than any time for which a worker may be paused, by its handlers or by its
    /// machine.
    pub fn reclaim_idle(mut self, idle: Duration) -> Self {
        self.options.reclaim_idle = idle;
        self
    }

    /// Sets how often the worker shows that it is alive while it holds entries. The default is a quarter of
    /// [`reclaim_idle`](Worker::reclaim_idle).
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.options.heartbeat = Some(interval);
        self
    }

    /// Sets the shortest and the longest time between two polls. The time doubles with each poll that finds nothing.
    /// The default is 100 ms, and 5 seconds, or a minute while messages arrive that announce entries. An idle hour
    /// costs 3,600 seconds divided by the longest time. Dead workers are noticed by a poll, too.
    pub fn poll(mut self, shortest: Duration, longest: Duration) -> Self {
        (self.options.shortest_poll, self.options.longest_poll) = (shortest, Some(longest));
        self
    }

    /// Sets how long [`run_until`](Worker::run_until) waits for the handlers that run when it is to end. The default is
    /// 25 seconds, a little less than platforms give a process.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.options.grace = grace;
        self
    }

    /// Sets where the group begins if `run` creates it. By default, it begins at the start of the log, so that no entry
    /// is left out.
    pub fn start_at(mut self, start: GroupStart) -> Self {
        self.options.start = Some(start);
        self
    }

    /// Does not create the group: `run` fails with `NotFound` if the log has no such group. A group that was destroyed
    /// by mistake is not replaced then by one that handles everything again.
    pub fn existing_group(mut self) -> Self {
        self.options.start = None;
        self
    }

    /// Sets a function that is called with what somebody may have to look at. It must not block.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # use redis_model::stream::Notice;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "order-events")]
    /// # enum OrderEvent { Paid { cents: i64 } }
    /// let worker = Worker::new(OrderEvent::log(17).group("billing"), "worker-1").on_notice(|notice| match notice {
    ///     Notice::Dead { id, error } => eprintln!("{id} is a dead letter: {error}"),
    ///     Notice::Trimmed { id, .. } => eprintln!("{id} was removed before it was handled"),
    ///     _ => {}
    /// });
    /// ```
    pub fn on_notice(mut self, on_notice: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        self.options.on_notice = Some(Arc::new(on_notice));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("concurrency", &self.concurrency)
            .field("batch", &self.batch)
            .field("max_deliveries", &self.max_deliveries)
            .field("reclaim_idle", &self.reclaim_idle)
            .finish_non_exhaustive()
    }
}
