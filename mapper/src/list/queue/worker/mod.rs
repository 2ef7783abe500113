//! Workers of queues: the loop that reserves jobs, does them, and settles them.
//!
//! From the ground up: `counters` are what a worker reports; `turn` is its one request; `lease` is how long a handler may
//! run; `book` decides, without waiting; `run` is the loop.

mod book;
mod counters;
mod lease;
mod run;
mod turn;

use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use redis_rest::{Error, ErrorKind, Redis, Result};

pub use self::counters::{JobCounters, JobCounts, JobNotice};
use super::Queue;
use super::reserve::Ticket;
use crate::failure::Failure;
use crate::list::ListModel;

/// A job, for the handler of a [`QueueWorker`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerJob<M> {
    /// What is to be done.
    pub job: M,
    /// Names the job by its [id](Ticket::id), and its reservation by [a number that only grows](Ticket::reservation).
    /// The worker settles it: the handler does not call [`ack`](Queue::ack).
    pub ticket: Ticket,
    /// Which attempt this is; 1 is the first.
    pub attempt: u64,
}

/// Does the jobs of a queue, several at a time, each at least once: from [`Queue::worker`].
///
/// ```no_run
/// use std::time::Duration;
///
/// use redis_model::Failure;
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
/// let queue = Job::queue("images").max_attempts(5);
/// queue.worker("worker-1")
///     .concurrency(16)
///     .timeout(Duration::from_secs(300))
///     .run(&redis, async |job| match job.job {
///         Job::Resize { width: 0 } => Err(Failure::dead("there is no such image")), // no other attempt would help
///         Job::Resize { width } => Ok(resize(width).await?),                        // an error: again in a second
///     })
///     .await
/// # }
/// ```
///
/// Any number of workers share a queue, in one process or in many. Their names need not differ: they are in the history
/// of failed jobs.
///
/// # What is guaranteed
///
/// * **At least once, or dead.** A job is acknowledged after its handler has returned `Ok`. It is done twice if its
///   worker dies, or loses its connection, between the two.
/// * **One handler at a time.** The worker extends the deadlines of the jobs that it holds, so
///   [`hold_for`](Queue::hold_for) is how soon the jobs of a worker that dies come back, not how long a job may take.
///   If it cannot reach the server, it drops the handlers before their deadlines pass. After a pause of the process, one
///   whose deadline may have passed is dropped without being polled again. Only a handler that blocks its thread can go
///   on, until its next `await`. The worker measures time by the monotonic clock of its process; on Linux, that stands
///   still while the machine is suspended.
/// * **An attempt is a handler that was called.** Neither a lost reply, nor the end of a worker, nor a job that is too
///   large for the reply of its neighbours takes one of their attempts. The process that dies does: a job that kills
///   each of its workers is dead after [`max_attempts`](Queue::max_attempts).
/// * **Order**: jobs begin in the order of the queue. With a [`concurrency`](QueueWorker::concurrency) of 1 and one
///   worker, they are done one after the other; but one that failed comes later.
///
/// # What it costs
///
/// One request at a time, of one script: it settles what was done, extends what is held, and reserves as many jobs as
/// there are free handlers. A job on its own takes two requests: one reserves it, one settles it and looks for the
/// next. With many, all that have ended since the last request share one.
///
/// A worker without anything to do polls: after 100 ms, and then at waits that double up to 5 s. So an idle hour costs
/// **720 requests**, and a job that is pushed meanwhile waits for up to 5 s: pushes do not wake workers
/// ([`poll`](QueueWorker::poll) has both numbers). While handlers run, it extends their deadlines in each fifth of
/// `hold_for`: 300 requests in an hour by default.
///
/// # When something fails
///
/// | what | what follows |
/// | --- | --- |
/// | the handler returns an error, or takes longer than `timeout` | the job waits for a delay that doubles, up to `max_attempts` times; then it is [dead](Queue::dead) |
/// | the handler returns [`Failure::dead`] | the job is dead now |
/// | the job cannot be read | it is dead at once, or after as many attempts, see [`retry_undecodable`](QueueWorker::retry_undecodable) |
/// | the job is larger than a reply of the client may be | it is dead, and no other job is affected |
/// | the process dies | its jobs come back after their deadline |
/// | the handler panics | the panic leaves `run`. The jobs of the worker come back after their deadline |
/// | the connection breaks, the service is busy | the request is repeated until it succeeds |
/// | the server is full | the same. Jobs whose handlers run are still extended and acknowledged: that takes no memory |
/// | a reply is lost | the request is repeated. Jobs that it had reserved are given back, and their attempt does not count |
/// | the queue is cleared | handlers that run are dropped when their deadline is to be extended |
/// | another type at a key, a wrong token | `run` fails |
///
/// The key `job:images::queue:turn:NONCE` remembers what the last request of a worker has reserved, for as long as a
/// reservation lasts; after a request whose reply was lost, for 20 minutes: if it arrives late, it reserves nothing. The
/// nonce is random for each run.
#[must_use = "a worker does nothing until `run` is called"]
pub struct QueueWorker<M> {
    queue: Queue<M>,
    name: String,
    options: Options,
    counters: JobCounters,
}

type OnNotice = Arc<dyn Fn(&JobNotice<'_>) + Send + Sync>;

/// What is set by the methods of a worker.
#[derive(Clone)]
struct Options {
    concurrency: usize,
    timeout: Option<Duration>,
    retry_delay: Duration,
    longest_retry_delay: Duration,
    retries_undecodable: bool,
    shortest_poll: Duration,
    longest_poll: Duration,
    grace: Duration,
    on_notice: Option<OnNotice>,
}

impl<M: ListModel> Queue<M> {
    /// Returns a worker of this queue. Nothing is sent until its [`run`](QueueWorker::run) is called. `name` is in the
    /// history of jobs that fail.
    pub fn worker(&self, name: impl Into<String>) -> QueueWorker<M> {
        let options = Options {
            concurrency: 8,
            timeout: None,
            retry_delay: Duration::from_secs(1),
            longest_retry_delay: Duration::from_secs(5 * 60),
            retries_undecodable: false,
            shortest_poll: Duration::from_millis(100),
            longest_poll: Duration::from_secs(5),
            grace: Duration::from_secs(25),
            on_notice: None,
        };
        QueueWorker { queue: self.clone(), name: name.into(), options, counters: JobCounters::default() }
    }
}

impl<M: ListModel> QueueWorker<M> {
    /// Sets how many jobs are done at the same time. The default is 8. No more than these are reserved.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.options.concurrency = jobs;
        self
    }

    /// Sets how long a handler may take. It is dropped then, and has failed. By default, it may take any time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sets how long a job waits after its first failure, and at most. The wait doubles with each failure. The default
    /// is 1 second, up to 5 minutes. It waits in the queue: any worker does it then, at its next poll. Times of more than
    /// 100 years count as 100 years.
    pub fn retry(mut self, first: Duration, longest: Duration) -> Self {
        (self.options.retry_delay, self.options.longest_retry_delay) = (first, longest);
        self
    }

    /// Handles jobs that cannot be read as failures: they are dead after as many attempts, not at once. Use it while
    /// programs of different versions run, so that a newer worker has time to take what this one cannot read.
    pub fn retry_undecodable(mut self) -> Self {
        self.options.retries_undecodable = true;
        self
    }

    /// Sets the shortest and the longest time between two polls. The time doubles with each poll that finds nothing.
    /// The default is 100 ms, and 5 seconds. An idle hour costs 3,600 seconds divided by the longest time. Jobs of dead
    /// workers, and delayed ones, are noticed by a poll, too.
    pub fn poll(mut self, shortest: Duration, longest: Duration) -> Self {
        (self.options.shortest_poll, self.options.longest_poll) = (shortest, longest);
        self
    }

    /// Sets how long [`run_until`](QueueWorker::run_until) waits for the handlers that run when it is to end. The
    /// default is 25 seconds, a little less than platforms give a process.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.options.grace = grace;
        self
    }

    /// Sets a function that is called with what somebody may have to look at. It must not block.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # use redis_model::list::JobNotice;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(list, prefix = "job")]
    /// # struct Resize { width: u32 }
    /// let worker = Resize::queue("images").worker("worker-1").on_notice(|notice| match notice {
    ///     JobNotice::Failed { id, error, retry_in, .. } => eprintln!("job {id}: {error}, again in {retry_in:?}"),
    ///     JobNotice::Dead { id, error } => eprintln!("job {id} is dead: {error}"),
    ///     _ => {}
    /// });
    /// ```
    pub fn on_notice(mut self, on_notice: impl Fn(&JobNotice<'_>) + Send + Sync + 'static) -> Self {
        self.options.on_notice = Some(Arc::new(on_notice));
        self
    }

    /// Returns the counters of the worker, to be read while it runs.
    #[must_use]
    pub fn counters(&self) -> JobCounters {
        self.counters.clone()
    }

    /// Runs until something fails that a repetition cannot heal. `handler` is called with each job. `Ok` acknowledges
    /// it. After an error, it is done again later; the text of the error is in the history of the job. Any type with
    /// `Display` is an error here; a [`Failure`] also says what follows.
    ///
    /// A handler that uses what is around it, in a task of its own, takes what it needs:
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # use redis_model::list::WorkerJob;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(list, prefix = "job")]
    /// # struct Resize { width: u32 }
    /// # mod tokio { pub fn spawn<F: Future + Send + 'static>(_: F) {} }
    /// # fn example(redis: Redis) {
    /// let handler_redis = redis.clone();
    /// tokio::spawn(async move {
    ///     let handler = async move |job: WorkerJob<Resize>| {
    ///         handler_redis.incr(format!("resized:{}", job.job.width)).await?;
    ///         Ok::<(), redis_model::Error>(())
    ///     };
    ///     Resize::queue("images").worker("worker-1").run(&redis, handler).await
    /// });
    /// # }
    /// ```
    ///
    /// All handlers run within this call, on the task that polls it: none is spawned. Dropping the call ends all of
    /// them. Their jobs come back after their deadline; [`run_until`](QueueWorker::run_until) ends without that delay.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if an option is not possible: nothing was sent. Otherwise the error of a request that cannot
    /// succeed later; see the [table](QueueWorker#when-something-fails).
    pub async fn run<H, E>(&self, redis: &Redis, handler: H) -> Result<()>
    where
        H: AsyncFn(WorkerJob<M>) -> Result<(), E>,
        E: Into<Failure>,
    {
        self.run_until(redis, pending(), handler).await
    }

    /// Runs as [`run`](QueueWorker::run) does, until `shutdown` ends. Then it reserves nothing more, and waits for the
    /// handlers that run, up to [`grace`](QueueWorker::grace). After that they are dropped. Their jobs are the next
    /// ones again, and the attempt does not count.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(list, prefix = "job")]
    /// # struct Resize { width: u32 }
    /// # mod tokio { pub mod signal { pub async fn ctrl_c() -> std::io::Result<()> { Ok(()) } } }
    /// # async fn resize(width: u32) -> std::io::Result<()> { Ok(()) }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let stop = async {
    ///     let _ = tokio::signal::ctrl_c().await;
    /// };
    /// let worker = Resize::queue("images").worker("worker-1");
    /// worker.run_until(&redis, stop, async |job| resize(job.job.width).await).await?;
    /// println!("{} done", worker.counters().read().handled);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`run`](QueueWorker::run). If the last request fails, the jobs come back after their deadline.
    pub async fn run_until<H, E>(&self, redis: &Redis, shutdown: impl Future<Output = ()>, handler: H) -> Result<()>
    where
        H: AsyncFn(WorkerJob<M>) -> Result<(), E>,
        E: Into<Failure>,
    {
        self.check()?;
        let handle = async |job| handler(job).await.map_err(Into::into);
        run::run(self, redis, shutdown, handle).await
    }

    /// Checks what no type can rule out.
    fn check(&self) -> Result<()> {
        let options = &self.options;
        let why = if options.concurrency == 0 {
            "the concurrency is 0; a worker does at least one job at a time"
        } else if options.shortest_poll.is_zero() || options.longest_poll < options.shortest_poll {
            "the poll pace needs a shortest time of more than 0, and a longest time that is not less"
        } else if options.longest_retry_delay < options.retry_delay {
            "the longest delay of `retry` is less than the first"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::InvalidInput, why))
    }
}

impl<M> fmt::Debug for QueueWorker<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueWorker")
            .field("queue", &self.queue)
            .field("name", &self.name)
            .field("concurrency", &self.options.concurrency)
            .finish_non_exhaustive()
    }
}
