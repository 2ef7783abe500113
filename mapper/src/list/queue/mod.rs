//! Work queues: jobs that workers reserve, and that come back if a worker dies.

mod dead;
mod push;
mod reserve;
mod script;
mod settle;
mod upkeep;
mod worker;

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::dead::{DeadJob, FailedAttempt};
pub use self::push::{JobOptions, Pushed};
pub use self::reserve::{Reserved, Ticket};
pub use self::settle::{Nack, Nacked};
pub use self::upkeep::{QueueStats, Recovered};
pub use self::worker::{JobCounters, JobCounts, JobNotice, QueueWorker, WorkerJob};
use super::ListModel;
use crate::key::{Key, KeyPart};

/// A queue of jobs of the type `M`, from [`ListModel::queue`].
///
/// A [worker](Queue::worker) reserves jobs, calls a handler for each, and settles them. If it dies, its jobs come back
/// by themselves when the deadline of the reservation has passed. After [`max_attempts`](Queue::max_attempts) a job is
/// [dead](Queue::dead), with the history of its attempts.
///
/// ```no_run
/// use std::time::Duration;
///
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(list, prefix = "job")]
/// enum Job {
///     Resize { width: u32 },
/// }
///
/// # async fn resize(width: u32) -> std::io::Result<()> { Ok(()) }
/// # async fn example(redis: Redis) -> Result<()> {
/// let queue = Job::queue("images").hold_for(Duration::from_secs(30)).max_attempts(5);
/// queue.push(&redis, &Job::Resize { width: 640 }).await?;
///
/// // In another program. It returns only if it cannot go on.
/// queue
///     .worker("worker-1")
///     .run(&redis, async |job| match job.job {
///         Job::Resize { width } => resize(width).await,
///     })
///     .await
/// # }
/// ```
///
/// A program with a loop of its own calls [`reserve`](Queue::reserve), and then [`ack`](Queue::ack) or
/// [`nack`](Queue::nack); during long jobs also [`extend`](Queue::extend).
///
/// # What is guaranteed
///
/// * A job is handled at least once, or it is dead. It is handled twice if a program is still at work after its
///   deadline: ask for [more time](Queue::extend) before, as [`QueueWorker`] does. A reservation has a number that only
///   grows, [`Ticket::reservation`]: other systems can refuse a worker that is late by it.
/// * No two workers hold a job at the same time. Deadlines and delays are measured by the clock of the server.
/// * A worker that is late cannot acknowledge, give back or extend what another has: the error is a `Conflict`, or
///   `NotFound` if the job is finished.
/// * Jobs are reserved in the order in which they were pushed. One whose worker died comes first; one that was given
///   back, or whose delay is over, comes last.
/// * Each call is one script and one request. After a lost reply the client repeats it, and gets the outcome of the
///   first execution, so nothing is pushed or reserved twice. In pipelines, transactions and batches it is not
///   repeated. If no attempt of `reserve` has brought a reply, its jobs come back after their deadline, and have one
///   attempt less.
/// * An element that cannot be read is an error of that job alone. It is in the queue until a worker gives it up.
/// * If the clock of the server jumps forward, reservations end early, and workers that are late are refused. If it
///   jumps back, what dead workers held comes back later.
///
/// A store that evicts keys can lose jobs: use the policy `noeviction`. The guide [`lists`](crate::guide::lists) tells
/// what each call costs, and what happens when something fails.
///
/// # Keys
///
/// | key | type | holds |
/// | --- | --- | --- |
/// | `job:images::queue` | list | the ids of the jobs that wait |
/// | `job:images::queue:jobs` | hash | for each job its element, attempts, worker and history; and the last number given |
/// | `job:images::queue:delayed` | sorted set | the ids of delayed jobs, by the time at which they are due |
/// | `job:images::queue:reserved` | sorted set | the ids of reserved jobs, by their deadline |
/// | `job:images::queue:dead` | sorted set | the ids of dead jobs, by the time at which they died |
/// | `job:images::queue:once:KEY` | string | the id of a job that was pushed under a key of the caller, and a hash of the job; expires |
/// | `job:images::queue:turn:NONCE` | string | what a [`QueueWorker`] has reserved last; expires |
pub struct Queue<M> {
    key: Key,
    hold_for: Duration,
    max_attempts: u32,
    of: PhantomData<fn(M) -> M>,
}

impl<M: ListModel> Queue<M> {
    pub(super) fn new(key: impl KeyPart) -> Self {
        Queue {
            key: Key::new(M::MODEL_NAME, M::KEY_PREFIX, &key.to_key_part()),
            hold_for: Duration::from_secs(60),
            max_attempts: 5,
            of: PhantomData,
        }
    }

    /// Sets how long a reservation is valid, unless it is [extended](Queue::extend). The default is one minute.
    #[must_use]
    pub fn hold_for(mut self, time: Duration) -> Self {
        self.hold_for = time;
        self
    }

    /// Sets how often a job is reserved before it is dead. The default is 5. Set the same for all workers of a queue.
    ///
    /// 0 counts as 1: a job is dead after its first failure.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Returns the key of the list of waiting jobs. The other keys begin with it.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}::queue", self.key.as_str())
    }
}

impl<M> Clone for Queue<M> {
    fn clone(&self) -> Self {
        Queue { key: self.key.clone(), hold_for: self.hold_for, max_attempts: self.max_attempts, of: PhantomData }
    }
}

impl<M> fmt::Debug for Queue<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("key", &self.key.as_str())
            .field("hold_for", &self.hold_for)
            .field("max_attempts", &self.max_attempts)
            .finish_non_exhaustive()
    }
}

/// Returns a time of the server.
fn time_of(millis: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}
