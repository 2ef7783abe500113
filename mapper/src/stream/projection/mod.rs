//! Projections: views that are made of logs, each with its position, which is written together with the view.

mod failure;
mod follow;
mod notice;
mod position;
mod run;

use std::fmt;
use std::future::{pending, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Client, Command, Error, Executor, Redis, Result};

pub use self::failure::HandlerError;
use self::notice::OnNotice;
pub use self::notice::{CaughtUp, ProjectionNotice};
use self::position::Record;
use super::entry::Entry;
use super::log::Log;
use super::{Polling, StreamModel};
use crate::hash::Unit;

/// A reader of one or several logs that makes a view of them: records, which it writes together with its position in
/// the logs. [`catch_up`](Projection::catch_up) handles the events that there are, and [`follow`](Projection::follow)
/// those to come, too.
///
/// For each event, a handler adds writes of records to a [`Unit`]. The unit and the new position are one commit,
/// which is refused if the position is not the one that was read. So each event counts once in the view: after a
/// restart, a lost reply, and with two programs that run the same projection.
///
/// ```no_run
/// use redis_model::{Projection, prelude::*};
/// use redis_model::stream::Sourced;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, prefix = "order-events", category)]
/// enum OrderEvent {
///     Placed { sku: String },
///     Shipped,
/// }
///
/// /// The view: orders that are not shipped.
/// #[derive(Debug, RedisModel)]
/// #[redis(prefix = "open-order")]
/// struct OpenOrder {
///     #[redis(id)]
///     order: String,
///     #[redis(index)]
///     sku: String,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let open_orders = OrderEvent::category().projection("open-orders");
/// let caught_up = open_orders
///     .catch_up(&redis, |unit, entry| {
///         let Sourced { log: order, event, .. } = entry.event;
///         Ok(match event {
///             OrderEvent::Placed { sku } => unit.save(&OpenOrder { order, sku }),
///             OrderEvent::Shipped => unit.delete::<OpenOrder>(&order),
///         })
///     })
///     .await?;
/// println!("{} events", caught_up.events);
/// # Ok(())
/// # }
/// ```
///
/// The position is a field for each log in the hash `order-events::projection:open-orders`.
///
/// # Handlers
///
/// | call | handler |
/// | --- | --- |
/// | [`catch_up`](Projection::catch_up), with both clients | a closure that owns what it uses, or a function |
/// | [`catch_up_async`](Projection::catch_up_async), [`follow`](Projection::follow) | an async closure that borrows what it uses: `async`, without `move` |
///
/// An `async move` closure that owns what it uses "does not implement `FnMut`": leave out `move`. In a task that is
/// spawned, `async move { .. }` around the call owns what the closure borrows:
///
/// ```no_run
/// # use redis_model::{Entry, Unit, prelude::*};
/// # #[derive(Debug, RedisModel)]
/// # #[redis(stream, prefix = "payments")]
/// # struct Payment { customer: u64, cents: i64 }
/// # mod tokio { pub fn spawn<F: Future + Send + 'static>(_: F) {} }
/// async fn project(redis: &Redis, unit: Unit, entry: Entry<Payment>) -> Result<Unit> {
/// #   Ok(unit)
///     // ..
/// }
///
/// # fn example(redis: Redis) {
/// tokio::spawn(async move {
///     let payments = Payment::log("all").projection("balances");
///     payments.follow(&redis, async |unit, entry| project(&redis, unit, entry).await).await
/// });
/// # }
/// ```
///
/// A function that does not wait, `fn project(unit: Unit, entry: Entry<Payment>) -> Result<Unit>`, suits all of them:
/// `project`, and `async |unit, entry| project(unit, entry)`.
///
/// Handlers return [`redis_model::Error`](crate::Error). For any other error, one call names its type:
/// `.handler_error::<ViewError>()`, see [`handler_error`](Projection::handler_error).
///
/// # What it sees
///
/// A projection sees every event of its logs, in their order; among several logs, there is no order. If entries were
/// removed before it has seen them, by `max_len` for example, it stops with a `Lagged` error. So it does if a log was
/// deleted and begun again, before the first event of the new one gets into the view. It notices both by the number
/// of entries that were ever added. It cannot notice that a log was begun again, and has grown past the position
/// since, if as many of the new entries were trimmed as it has read of the old log, or have ids below the position,
/// as in a versioned log.
///
/// # Rebuilding
///
/// A view is built anew if its handler or its records change, or if events were lost. **A new name over the same
/// records counts every event again.** The position belongs to the name, and the records to their prefix: change both,
/// or neither.
///
/// In place, while nobody needs the view: stop the programs that run the projection, delete the records, and then
/// [`reset`](Projection::reset) the position. If that is cut short, do it again from the start.
///
/// ```no_run
/// # use redis_model::{Entry, Unit, prelude::*};
/// # #[derive(Debug, RedisModel)]
/// # #[redis(stream, prefix = "payments")]
/// # struct Payment { customer: u64, cents: i64 }
/// # #[derive(Debug, RedisModel)]
/// # #[redis(prefix = "balance")]
/// # struct Balance { #[redis(id)] customer: u64, #[redis(index)] cents: i64 }
/// # fn add(unit: Unit, entry: Entry<Payment>) -> Result<Unit> { Ok(unit) }
/// # async fn example(redis: Redis) -> Result<()> {
/// let balances = Payment::log("all").projection("balances");
/// let deleted = Balance::query().delete(&redis).await?;
/// balances.reset(&redis).await?;
/// let caught_up = balances.catch_up(&redis, add).await?;
/// println!("{deleted} balances deleted, {} events counted", caught_up.events);
/// # Ok(())
/// # }
/// ```
///
/// Beside the old view, which stays in use meanwhile: a second model with a prefix of its own, and a second name.
///
/// ```no_run
/// # use redis_model::{Entry, Unit, prelude::*};
/// # #[derive(Debug, RedisModel)]
/// # #[redis(stream, prefix = "payments")]
/// # struct Payment { customer: u64, cents: i64 }
/// # #[derive(Debug, RedisModel)]
/// # #[redis(prefix = "balance")]
/// # struct Balance { #[redis(id)] customer: u64, #[redis(index)] cents: i64 }
/// /// As `Balance`, at other keys, and with the number of payments.
/// #[derive(Debug, Default, RedisModel)]
/// #[redis(prefix = "balance-2")]
/// struct Balance2 {
///     #[redis(id)]
///     customer: u64,
///     #[redis(index)]
///     cents: i64,
///     payments: u64,
/// }
///
/// async fn add(redis: &Redis, unit: Unit, Payment { customer, cents }: Payment) -> Result<Unit> {
///     let mut balance = Balance2::load(redis, customer).await?.unwrap_or(Balance2 { customer, ..Default::default() });
///     balance.cents += cents;
///     balance.payments += 1;
///     Ok(unit.save(&balance))
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// // First, beside the program that keeps the old view:
/// let balances = Payment::log("all").projection("balances-2");
/// balances.catch_up_async(&redis, async |unit, entry| add(&redis, unit, entry.event).await).await?;
/// // Then release the program that follows "balances-2", and reads `Balance2`. The old view goes last:
/// Payment::log("all").projection("balances").reset(&redis).await?;
/// Balance::query().delete(&redis).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a projection does nothing until it catches up or follows"]
pub struct Projection<M, E = Error> {
    record: Record,
    logs: Vec<Log<M>>,
    batch: usize,
    skips_unreadable: bool,
    skips_missing: bool,
    polling: Polling,
    wake_ups: Option<bool>,
    on_notice: Option<OnNotice>,
    error: PhantomData<fn() -> E>,
}

/// An entry that a projection has skipped because it could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The key of its log.
    pub key: String,
    /// Its id.
    pub id: StreamId,
    /// Why it could not be read.
    pub why: String,
}

impl<M: StreamModel> Log<M> {
    /// Returns the projection of this name over the log. Nothing is sent.
    pub fn projection(&self, name: &str) -> Projection<M> {
        Projection::new(name, [self.clone()])
    }
}

impl<M: StreamModel> Projection<M> {
    /// Creates a projection over several logs of one model. Among them, events come in no order: a log after the other.
    pub fn new(name: &str, logs: impl IntoIterator<Item = Log<M>>) -> Self {
        Projection {
            record: Record::new::<M>(name),
            logs: logs.into_iter().collect(),
            batch: 1,
            skips_unreadable: false,
            skips_missing: false,
            polling: Polling::default(),
            wake_ups: None,
            on_notice: None,
            error: PhantomData,
        }
    }
}

impl<M: StreamModel, E: HandlerError> Projection<M, E> {
    /// Sets the type of the errors that the handler returns. It is [`redis_model::Error`](crate::Error) otherwise.
    ///
    /// ```no_run
    /// # use redis_model::{Entry, Unit, prelude::*};
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "payments")]
    /// # struct Payment { customer: u64, cents: i64 }
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(prefix = "balance")]
    /// # struct Balance { #[redis(id)] customer: u64, cents: i64 }
    /// use std::error::Error as _;
    ///
    /// #[derive(Debug)]
    /// enum ViewError {
    ///     Negative(i64),
    ///     Redis(redis_model::Error),
    /// }
    /// # impl std::fmt::Display for ViewError {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{self:?}") }
    /// # }
    /// # impl std::error::Error for ViewError {
    /// #     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
    /// #         if let ViewError::Redis(error) = self { Some(error) } else { None }
    /// #     }
    /// # }
    /// # impl From<redis_model::Error> for ViewError {
    /// #     fn from(error: redis_model::Error) -> Self { ViewError::Redis(error) }
    /// # }
    ///
    /// async fn add(redis: &Redis, unit: Unit, payment: Payment) -> Result<Unit, ViewError> {
    ///     let Payment { customer, cents } = payment;
    ///     if cents < 0 {
    ///         return Err(ViewError::Negative(cents));
    ///     }
    ///     let balance = Balance::load(redis, customer).await?.map_or(0, |balance| balance.cents);
    ///     Ok(unit.save(&Balance { customer, cents: balance + cents }))
    /// }
    ///
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let balances = Payment::log("all").projection("balances").handler_error::<ViewError>();
    /// let followed = balances.follow(&redis, async |unit, entry| add(&redis, unit, entry.event).await).await;
    /// let error = followed.unwrap_err();
    /// println!("{error}"); // Payment at "payments:all": entry 5-0: the handler has failed: Negative(-1)
    /// if let Some(ViewError::Negative(cents)) = error.source().and_then(|source| source.downcast_ref()) {
    ///     println!("{cents} cents");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Use `handler_error::<anyhow::Error>()` or `handler_error::<Box<dyn Error + Send + Sync>>()` for a handler whose
    /// `?` meets errors of several types.
    ///
    /// The type decides nothing but what `?` converts to. If the error is a `redis_model::Error`, or has one in its
    /// chain of [sources](std::error::Error::source), that decides the [`kind`](crate::Error::kind) of the call's
    /// error, and whether [`follow`](Self::follow) handles the event again. Otherwise the kind is
    /// [`Handler`](crate::ErrorKind::Handler), and `follow` ends. So do not hide an error of this crate:
    /// `#[error(transparent)]` of thiserror leaves it out of the chain, and so does `anyhow` without a `.context(..)`.
    pub fn handler_error<F: HandlerError>(self) -> Projection<M, F> {
        Projection {
            record: self.record,
            logs: self.logs,
            batch: self.batch,
            skips_unreadable: self.skips_unreadable,
            skips_missing: self.skips_missing,
            polling: self.polling,
            wake_ups: self.wake_ups,
            on_notice: self.on_notice,
            error: PhantomData,
        }
    }

    /// Sets how many events one commit has at most. Each commit is one request. The default is 1.
    ///
    /// Events whose handling writes the same record are committed one by one, because a unit has each record once. A
    /// handler that reads the view must not be used with this: it would not see what the events before it change.
    pub fn batch(mut self, events: usize) -> Self {
        self.batch = events.max(1);
        self
    }

    /// Skips entries that cannot be read. Each is recorded, with the reason, in the same commit as the new position;
    /// [`skipped`](Self::skipped) returns them. By default such an entry is an error, and the projection stops before
    /// it.
    pub fn skip_unreadable(mut self) -> Self {
        self.skips_unreadable = true;
        self
    }

    /// Goes on where entries were removed before they were read. Their number is recorded. By default that is a
    /// `Lagged` error.
    pub fn skip_missing(mut self) -> Self {
        self.skips_missing = true;
        self
    }

    /// Sets how often [`follow`](Self::follow) asks for new entries while nothing tells it to.
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// Sets whether [`follow`](Self::follow) subscribes to wake-ups. By default it does if the model has the attribute
    /// `publish`. Each log then has a connection of its own.
    pub fn wake_ups(mut self, wake_ups: bool) -> Self {
        self.wake_ups = Some(wake_ups);
        self
    }

    /// Sets a function that [`follow`](Self::follow) calls with what it has done, and with each failure that it
    /// outlasts. It must not block. Without it, failures are `warn` events of `tracing`, and nothing else.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # use redis_model::stream::ProjectionNotice;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "order-events")]
    /// # enum OrderEvent { Paid { cents: i64 } }
    /// let paid = OrderEvent::log("all").projection("paid").on_notice(|notice| match notice {
    ///     ProjectionNotice::Repeated { error } => eprintln!("not up to date: {error}"),
    ///     ProjectionNotice::CaughtUp { done } => println!("up to date, after {} events", done.events),
    ///     _ => {}
    /// });
    /// ```
    pub fn on_notice(mut self, on_notice: impl Fn(&ProjectionNotice<'_>) + Send + Sync + 'static) -> Self {
        self.on_notice = Some(Arc::new(on_notice));
        self
    }

    /// Returns the key of the hash that holds the position.
    #[must_use]
    pub fn key(&self) -> &str {
        self.record.key().as_str()
    }

    /// Handles all events that the view does not have yet. Returns when each log has been read to its end.
    ///
    /// The handler adds the writes of an event to the unit, and returns it. It may run again for an event that
    /// another program was faster with, so it must have no effects but the unit. If it fails, the projection stops
    /// before that event. It may return the unit as it is: then nothing is written for that event, and a later commit
    /// moves the position.
    ///
    /// Two requests if there is nothing new: the position, and a page of a log, of up to 500 events. Each further log
    /// and each further page is one more, and so is each commit: one for each event, or see [`batch`](Self::batch).
    /// [`follow`](Self::follow) goes on with the events that are added later.
    ///
    /// The call may outlive the caller's variables, so the handler must own what it uses: a function, or a `move`
    /// closure. [`catch_up_async`](Self::catch_up_async) takes one that borrows.
    ///
    /// # Errors
    ///
    /// - that of the handler, which is the [`source`](std::error::Error::source). The error names the log and the
    ///   entry, `entry 5-0`. Its kind is that of a `redis_model::Error` in the handler's error, or else
    ///   [`Handler`](crate::ErrorKind::Handler); see [`handler_error`](Self::handler_error). It is `Handler` for
    ///   `InvalidInput`, too, since that says that nothing was sent. Mend the handler, and call again: it goes on with
    ///   this event. To skip an event, return the unit as it is;
    /// - that of the commit, such as `Conflict` or `AlreadyExists`: the event and the view do not fit together. It
    ///   names the record, and `entry 5-0 of order-events:17`. [`operation`](crate::Error::operation) is the position
    ///   in the handler's unit. Mend the handler, or the record;
    /// - `Decode` if an entry cannot be read, and `TooLarge` if no reply has room for it. It names the log and the
    ///   entry. Use [`skip_unreadable`](Self::skip_unreadable), delete the entry, or make the event able to read it;
    /// - `Lagged` if entries were removed before they were read. Use [`skip_missing`](Self::skip_missing),
    ///   also to [rebuild](Self#rebuilding) the view of what is left;
    /// - `Lagged` if the log was deleted and begun again, and `NotFound` if the position was deleted while the
    ///   projection ran. [Rebuild](Self#rebuilding) the view.
    ///
    /// Whatever the error, the view has all events up to the position, and none after it.
    pub fn catch_up<C: Client>(
        &self,
        client: C,
        mut handler: impl FnMut(Unit, Entry<M>) -> Result<Unit, E> + Send + 'static,
    ) -> C::Out<CaughtUp>
    where
        M: Send,
    {
        let this = self.clone();
        client.run(move |session| run::run(session, this, move |unit, entry| ready(handler(unit, entry))))
    }

    /// Does the same as [`catch_up`](Self::catch_up), with a handler that waits: it can load the records that it
    /// changes. It takes the same async closures as [`follow`](Self::follow), and the async client alone.
    ///
    /// ```no_run
    /// # use redis_model::{Entry, Unit, prelude::*};
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "payments")]
    /// # struct Payment { customer: u64, cents: i64 }
    /// #[derive(Debug, Default, RedisModel)]
    /// #[redis(prefix = "balance")]
    /// struct Balance {
    ///     #[redis(id)]
    ///     customer: u64,
    ///     cents: i64,
    /// }
    ///
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let balances = Payment::log("all").projection("balances");
    /// let handler = async |unit: Unit, entry: Entry<Payment>| {
    ///     let Payment { customer, cents } = entry.event;
    ///     let mut balance = Balance::load(&redis, customer).await?.unwrap_or(Balance { customer, cents: 0 });
    ///     balance.cents += cents;
    ///     Ok(unit.save(&balance))
    /// };
    /// let caught_up = balances.catch_up_async(&redis, &handler).await?;
    /// println!("{} events", caught_up.events);
    /// balances.follow(&redis, &handler).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`catch_up`](Self::catch_up).
    pub async fn catch_up_async<F>(&self, redis: &Redis, handler: impl FnMut(Unit, Entry<M>) -> F) -> Result<CaughtUp>
    where
        F: Future<Output = Result<Unit, E>>,
    {
        let session = redis.run(|session| async move { Ok(session) }).await?;
        run::run(session, self.clone(), handler).await
    }

    /// Handles all events that the view does not have yet, and then those that are added, until the call is dropped
    /// or fails.
    ///
    /// It waits as a [`Tail`](crate::Tail) does: a message of a model with `publish` wakes it, and otherwise it polls
    /// at an adaptive pace, which [`polling`](Self::polling) sets. Requests that can succeed later are repeated,
    /// after waits that double up to 30 seconds, for as long as it takes: also while the server is stopped. Each is a
    /// `warn` event of `tracing`, and a notice: use [`on_notice`](Self::on_notice) to see that the view is not up to
    /// date. The view and its position are one write, so no event is left out and none counts twice, whatever is repeated,
    /// dropped, or run by two programs at a time. The second one costs requests and does nothing: run it where it is
    /// to take over from the first.
    ///
    /// One request for each log when it wakes or polls, and those of [`catch_up`](Self::catch_up) for what is new. An
    /// idle hour is 60 requests for each log with a working subscription, and 720 without.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "order-events", publish)]
    /// # enum OrderEvent { Placed { order: u64, sku: String }, Shipped { order: u64 } }
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(prefix = "open-order")]
    /// # struct OpenOrder { #[redis(id)] order: u64, sku: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let open_orders = OrderEvent::log("all").projection("open-orders").batch(100);
    /// open_orders
    ///     .follow(&redis, async |unit, entry| {
    ///         Ok(match entry.event {
    ///             OrderEvent::Placed { order, sku } => unit.save(&OpenOrder { order, sku }),
    ///             OrderEvent::Shipped { order } => unit.delete::<OpenOrder>(order),
    ///         })
    ///     })
    ///     .await // an error that no repetition can mend
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`catch_up`](Self::catch_up) that cannot pass. A handler's error can pass if it is, or has as a source, a
    /// `redis_model::Error` that is [transient](crate::Error::is_transient), such as `Timeout`: then the event is handled
    /// again. Any other error of a handler ends `follow`. A handler that is to be called again returns
    /// `Error::new(ErrorKind::Unavailable, "..")`.
    pub async fn follow<F>(&self, redis: &Redis, handler: impl FnMut(Unit, Entry<M>) -> F) -> Result<()>
    where
        F: Future<Output = Result<Unit, E>>,
    {
        self.follow_until(redis, pending(), handler).await
    }

    /// Follows as [`follow`](Self::follow) does, until `shutdown` ends. What is under way then is dropped: the next
    /// run begins after the last event that is in the view.
    ///
    /// # Errors
    ///
    /// Those of [`follow`](Self::follow).
    pub async fn follow_until<F>(
        &self,
        redis: &Redis,
        shutdown: impl Future<Output = ()>,
        handler: impl FnMut(Unit, Entry<M>) -> F,
    ) -> Result<()>
    where
        F: Future<Output = Result<Unit, E>>,
    {
        follow::follow(self, redis, shutdown, handler).await
    }

    /// Returns the entries that were skipped because they could not be read.
    ///
    /// [HGETALL](https://redis.io/docs/latest/commands/hgetall/), O(n) in the number of logs and of these entries.
    pub fn skipped<X: Executor>(&self, executor: X) -> X::Out<Vec<Skipped>> {
        executor.submit(self.record.push_to(Command::read("HGETALL")).decode_with(position::skipped))
    }

    /// Deletes the position, and returns whether there was one. The next run begins with the first event, so delete
    /// the records of the view before: **what is left of them counts every event again**. See
    /// [Rebuilding](Self#rebuilding).
    ///
    /// Stop all programs that run the projection. One that still runs fails as `NotFound` at its next commit, or begins
    /// with the first event, too.
    ///
    /// [DEL](https://redis.io/docs/latest/commands/del/), O(n) in the number of logs and of skipped entries.
    pub fn reset<X: Executor>(&self, executor: X) -> X::Out<bool> {
        executor.submit(self.record.delete())
    }
}

impl<M, E> Clone for Projection<M, E> {
    fn clone(&self) -> Self {
        let on_notice = self.on_notice.clone();
        Projection { record: self.record.clone(), logs: self.logs.clone(), on_notice, ..*self }
    }
}

impl<M, E> fmt::Debug for Projection<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projection")
            .field("key", &self.record.key().as_str())
            .field("logs", &self.logs)
            .finish_non_exhaustive()
    }
}
