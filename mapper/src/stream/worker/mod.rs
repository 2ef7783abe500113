//! Workers: programs that handle the entries of a consumer group, at least once each.
//!
//! From the ground up: `options` are its settings, `counters` what it reports; `turn` is its one request;
//! `delivered` and `dead_letter` are the entries as programs see them; `held` is an
//! entry in its hands; `book` decides, without waiting; `wake` listens; `run` is the loop.

mod book;
mod counters;
mod dead_letter;
mod delivered;
mod held;
mod options;
mod run;
#[cfg(test)]
mod tests;
mod turn;
mod wake;

use std::fmt;
use std::future::{Future, pending};

use redis_rest::{Error, ErrorKind, Redis, Result};

pub use self::counters::{Counters, Counts, Notice};
pub use self::dead_letter::DeadLetter;
pub use self::delivered::Delivered;
use self::options::Options;
use super::StreamModel;
use super::group::Group;
use crate::failure::Failure;
use crate::hash::Unit;

/// Handles the entries of a consumer group: each at least once, and exactly once with
/// [`run_exactly`](Worker::run_exactly).
///
/// ```no_run
/// use std::time::Duration;
///
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, prefix = "order-events")]
/// enum OrderEvent {
///     Paid { cents: i64 },
/// }
///
/// # async fn charge(event: &OrderEvent) -> Result<()> { Ok(()) }
/// # async fn example(redis: Redis) -> Result<()> {
/// Worker::new(OrderEvent::log(17).group("billing"), "worker-1")
///     .concurrency(16)
///     .timeout(Duration::from_secs(30))
///     .max_deliveries(5)
///     .run(&redis, async |delivered| charge(&delivered.event).await)
///     .await
/// # }
/// ```
///
/// Any number of workers share the entries of a group, in one process or in many. **The name of a worker must be its
/// own among those that run at the same time**: that of the host, or of the pod. A program that is started again can
/// use the name of before.
///
/// # What is guaranteed
///
/// * **At least once.** An entry is acknowledged after its handler has returned `Ok`, and moved to the dead-letter
///   stream if it failed too often. It is handled twice if a worker dies, or loses its connection, between the two; or
///   if it was paused for longer than [`reclaim_idle`](Worker::reclaim_idle).
/// * **A worker that has lost an entry changes nothing.** Acknowledgements and dead letters go through a script, which
///   asks whether the entry is still pending with this worker and this attempt. `XACK` asks for neither.
/// * **Attempts are counted when handling begins**, in the delivery count of the entry. A lost reply is not an attempt,
///   so no entry becomes a dead letter without its attempts.
/// * **Nothing is skipped in silence.** Entries that were trimmed before they were handled are counted
///   ([`Counts::trimmed`], [`Counts::missed`]), logged as errors of the crate `tracing`, and passed to
///   [`on_notice`](Worker::on_notice).
/// * **Order**: entries are started in the order of the log, several at a time. With a
///   [`concurrency`](Worker::concurrency) of 1 and one worker, one after the other; but a failed one is handled again
///   later.
///
/// # What it costs
///
/// One request at a time, of one script: it settles what was handled, and reads and starts as much as there are free
/// handlers. A worker without entries to handle polls. The pace starts at 100 ms and doubles up to 5 s: **720 requests
/// in an idle hour**, and 60 if the model has the attribute `publish`, which wakes workers by messages
/// ([`poll`](Worker::poll)): then the pace starts at 5 s. While it holds entries, it also sends a heartbeat in each
/// quarter of `reclaim_idle`, if no other request does. An event on its own takes two requests: one reads and starts
/// it, one acknowledges it. With many, one request settles all that have ended since the last one.
///
/// # When something fails
///
/// | what | what follows |
/// | --- | --- |
/// | the handler returns an error, or takes longer than `timeout` | it is called again after a delay, up to `max_deliveries` times; then the entry is a dead letter |
/// | the handler returns [`Failure::dead`] | the entry is a dead letter at once |
/// | the handler returns [`Failure::retry_after`] | it is called again after that time, by whichever worker has the entry then: the time is kept on the server. The attempt counts |
/// | the event cannot be read | the entry is a dead letter at once, with its fields as they are |
/// | the process dies | other workers take its entries when they have been idle for `reclaim_idle` |
/// | the handler panics | the panic leaves `run`. The entry is pending, and its attempt is counted |
/// | the connection breaks, the service is busy or full | the request is repeated until it succeeds, after waits of up to 5 s that differ between workers |
/// | a reply is lost | the same request is repeated. Entries that were delivered by it are found |
/// | the log is deleted, or begun again | the group is created again, from the start of the new log. If the new one was trimmed before the worker sees it, or the old one was empty, `run` fails with `NotFound` |
/// | the name of the group is mistyped | a new group handles the whole log. [`existing_group`](Worker::existing_group) refuses it |
/// | the group is destroyed | `run` fails with `NotFound`: its position is gone, and only you know where to go on |
/// | another type at a key, a wrong token | `run` fails |
///
/// A handler that blocks its thread also stops the heartbeat: use `spawn_blocking` of your runtime.
///
/// The guide [`logs`](crate::guide::logs) has the same for logs, tails and projections.
#[must_use = "a worker handles nothing until `run` is called"]
pub struct Worker<M> {
    group: Group<M>,
    consumer: String,
    options: Options,
    counters: Counters,
}

/// The outcome of a handler.
#[derive(Debug)]
enum Handled {
    Done,
    Commit(Unit),
    Failed(Failure),
}

impl<M: StreamModel> Worker<M> {
    /// Creates a worker of this name in a group. Nothing is sent.
    pub fn new(group: Group<M>, consumer: impl Into<String>) -> Self {
        Worker { group, consumer: consumer.into(), options: Options::default(), counters: Counters::default() }
    }

    /// Returns the counters of the worker, to be read while it runs.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// Returns the group, with the dead-letter stream of this worker.
    #[must_use]
    pub fn group(&self) -> &Group<M> {
        &self.group
    }

    /// Runs until something fails that a repetition cannot heal. `handler` is called with each event. `Ok` acknowledges
    /// the entry. After `Err`, it is handled again later; the text of the error is logged, and kept with a dead letter.
    /// Any error that implements `Display` will do; a [`Failure`] also says when to try again, or that this is in vain.
    ///
    /// `handler` is an async closure, or a closure that returns a future. In a task of its own, it owns what it needs:
    /// clone it before `async move`. If the compiler says that the "implementation of `Send` is not general enough", the
    /// handler borrows something from around it.
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// # use redis_model::{Failure, prelude::*};
    /// # use redis_model::stream::Delivered;
    /// # #[derive(Debug, Clone, RedisModel)]
    /// # #[redis(stream, prefix = "order-events")]
    /// # enum OrderEvent { Paid { cents: i64 } }
    /// # mod tokio { pub fn spawn<F: Future + Send + 'static>(_: F) {} }
    /// struct App {
    ///     redis: Redis,
    /// }
    ///
    /// impl App {
    ///     async fn archive(&self, paid: Delivered<OrderEvent>) -> Result<(), Failure> {
    ///         OrderEvent::log("archive").append(&self.redis, &paid.event).await?;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// fn spawn_worker(app: Arc<App>) {
    ///     let redis = app.redis.clone();
    ///     tokio::spawn(async move {
    ///         let worker = Worker::new(OrderEvent::log(17).group("archive"), "worker-1");
    ///         worker.run(&redis, async move |paid| app.archive(paid).await).await
    ///     });
    /// }
    /// ```
    ///
    /// A closure that ends in `Ok(())` does not say its error: write `Ok::<_, Failure>(())`.
    ///
    /// All handlers run within this call, on the task that polls it: none is spawned. Dropping the call ends all of
    /// them. Their entries are then taken by others after [`reclaim_idle`](Worker::reclaim_idle);
    /// [`run_until`](Worker::run_until) ends without that delay.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if an option is not possible: nothing was sent. Otherwise the error of a request that cannot
    /// succeed later; see the [table](Worker#when-something-fails).
    pub async fn run<H, E>(&self, redis: &Redis, handler: H) -> Result<()>
    where
        H: AsyncFn(Delivered<M>) -> Result<(), E>,
        E: Into<Failure>,
    {
        self.run_until(redis, pending(), handler).await
    }

    /// Runs as [`run`](Worker::run) does, until `shutdown` ends. Then it reads nothing more, gives up what waits for
    /// another attempt, and waits for the handlers that run, up to [`grace`](Worker::grace). After that they are
    /// dropped, and their entries given up. Other workers take what was given up at once if the model has the attribute
    /// `publish`: the request that gives it up announces it. Otherwise they take it at their next poll if they are
    /// idle, or else in the next half of [`reclaim_idle`](Worker::reclaim_idle).
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "order-events")]
    /// # enum OrderEvent { Paid { cents: i64 } }
    /// # mod tokio { pub mod signal { pub async fn ctrl_c() -> std::io::Result<()> { Ok(()) } } }
    /// # async fn charge(event: &OrderEvent) -> Result<()> { Ok(()) }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let stop = async {
    ///     let _ = tokio::signal::ctrl_c().await;
    /// };
    /// let worker = Worker::new(OrderEvent::log(17).group("billing"), "worker-1");
    /// worker.run_until(&redis, stop, async |paid| charge(&paid.event).await).await?;
    /// println!("{} handled", worker.counters().read().handled);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`run`](Worker::run). If the last request fails, what could not be given up is taken by others after
    /// [`reclaim_idle`](Worker::reclaim_idle).
    pub async fn run_until<H, E>(&self, redis: &Redis, shutdown: impl Future<Output = ()>, handler: H) -> Result<()>
    where
        H: AsyncFn(Delivered<M>) -> Result<(), E>,
        E: Into<Failure>,
    {
        let handle = async |delivered| match handler(delivered).await {
            Ok(()) => Handled::Done,
            Err(error) => Handled::Failed(error.into()),
        };
        run::run(self, redis, shutdown, handle).await
    }

    /// Runs as [`run`](Worker::run) does, with a handler that returns a [`Unit`] of work. The unit is committed and the
    /// entry acknowledged in one script, both or neither: what the unit writes is written **exactly once** for each
    /// event, whatever fails. What the handler itself does is done at least once. An empty unit only acknowledges.
    ///
    /// A unit that is refused, such as one with a version that has changed, is a failure of the handler: it is called
    /// again, and can load the records again. Each unit is a request of its own.
    ///
    /// ```no_run
    /// use redis_model::Unit;
    /// use redis_model::prelude::*;
    ///
    /// #[derive(Debug, RedisModel)]
    /// #[redis(stream, prefix = "order-events")]
    /// enum OrderEvent {
    ///     Paid { account: u64, cents: i64 },
    /// }
    ///
    /// #[derive(Debug, RedisModel)]
    /// #[redis(prefix = "account")]
    /// struct Account {
    ///     #[redis(id)]
    ///     id: u64,
    ///     cents: i64,
    /// }
    ///
    /// # async fn example(redis: Redis) -> Result<()> {
    /// Worker::new(OrderEvent::log(17).group("accounts"), "worker-1")
    ///     .run_exactly(&redis, async |delivered| {
    ///         let OrderEvent::Paid { account, cents } = delivered.event;
    ///         Ok::<_, redis_model::Error>(Unit::new().patch(Account::patch(account).incr(Account::CENTS, cents)))
    ///     })
    ///     .await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`run`](Worker::run).
    pub async fn run_exactly<H, E>(&self, redis: &Redis, handler: H) -> Result<()>
    where
        H: AsyncFn(Delivered<M>) -> Result<Unit, E>,
        E: Into<Failure>,
    {
        self.run_exactly_until(redis, pending(), handler).await
    }

    /// Runs as [`run_exactly`](Worker::run_exactly) does, until `shutdown` ends, as [`run_until`](Worker::run_until)
    /// does.
    ///
    /// # Errors
    ///
    /// Those of [`run_until`](Worker::run_until).
    pub async fn run_exactly_until<H, E>(
        &self,
        redis: &Redis,
        shutdown: impl Future<Output = ()>,
        handler: H,
    ) -> Result<()>
    where
        H: AsyncFn(Delivered<M>) -> Result<Unit, E>,
        E: Into<Failure>,
    {
        let handle = async |delivered| match handler(delivered).await {
            Ok(unit) => Handled::Commit(unit),
            Err(error) => Handled::Failed(error.into()),
        };
        run::run(self, redis, shutdown, handle).await
    }

    /// Checks the options and the names.
    fn check(&self) -> Result<()> {
        self.options.check()?;
        if self.consumer.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "the name of a worker is empty"));
        }
        Ok(())
    }
}

impl<M> fmt::Debug for Worker<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("group", &self.group)
            .field("consumer", &self.consumer)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
