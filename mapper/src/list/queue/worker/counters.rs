//! What a worker of a queue reports while it runs: counters, and notices of what somebody may have to look at.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis_rest::Error;

/// The counters of a worker, from [`QueueWorker::counters`](super::QueueWorker::counters). A clone counts the same.
#[derive(Debug, Clone, Default)]
pub struct JobCounters(Arc<Mutex<JobCounts>>);

/// What a worker of a queue has done so far: a reading of its [`JobCounters`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobCounts {
    /// Jobs that the worker has done and acknowledged.
    pub handled: u64,
    /// Calls of the handler that returned an error or took too long, and jobs that could not be read.
    pub failed: u64,
    /// Jobs that the worker has begun, and that had begun before.
    pub retried: u64,
    /// Jobs that are dead since this worker gave them back.
    pub dead: u64,
    /// Jobs whose reservation ended before their handler did: it was dropped.
    pub lost: u64,
    /// Jobs that the worker has done, and whose reservation did not count any more then. Others may have done them too.
    pub duplicates: u64,
    /// Requests that the worker has sent. Repetitions by the client are not counted.
    pub requests: u64,
    /// Requests that failed, and that the worker has repeated.
    pub errors: u64,
}

impl JobCounters {
    /// Returns what the worker has done so far.
    #[must_use]
    pub fn read(&self) -> JobCounts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, counter: impl FnOnce(&mut JobCounts) -> &mut u64) {
        *counter(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)) += 1;
    }
}

/// Something that happened to a job, for [`QueueWorker::on_notice`](super::QueueWorker::on_notice).
#[derive(Debug)]
#[non_exhaustive]
pub enum JobNotice<'a> {
    /// The handler failed. The job waits for another attempt.
    Failed {
        /// The id of the job.
        id: u64,
        /// Which attempt it was; 1 is the first.
        attempt: u64,
        /// What the handler returned, as text.
        error: &'a str,
        /// How long it waits at least.
        retry_in: Duration,
    },
    /// The job is dead.
    Dead {
        /// The id of the job.
        id: u64,
        /// Why.
        error: &'a str,
    },
    /// The reservation of the job has ended before it was settled. If this worker has done it, it is perhaps done
    /// twice.
    Lost {
        /// The id of the job.
        id: u64,
        /// Whether this worker has done it.
        was_handled: bool,
    },
    /// A request failed. The worker repeats it.
    Repeated {
        /// Why.
        error: &'a Error,
    },
}
