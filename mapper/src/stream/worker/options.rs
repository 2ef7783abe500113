//! The settings of a worker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis_rest::commands::stream::GroupStart;
use redis_rest::{Error, ErrorKind, Result};

use super::counters::Notice;
use crate::pace::doubled;

/// The most entries that the hosted service lets be pending with one consumer.
pub(super) const MOST_PENDING: u64 = 1000;

/// The longest idle time. Entries that a worker gives up count as idle for that long, so that others take them at once.
const LONGEST_IDLE: Duration = Duration::from_secs(24 * 3600);

pub(super) type OnNotice = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

/// What is set by the methods of [`Worker`](super::Worker).
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

    /// Returns the time between two polls when entries come. A worker that messages wake need not look for the next ones.
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
            "a worker needs two heartbeats or more in the idle time after which its entries are reclaimed; lower `heartbeat`, or raise `reclaim_idle`"
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
