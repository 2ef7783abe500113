//! Projections: views that are made of logs, each with its position, which is written together with the view.

mod follow;
mod position;
mod run;

use std::fmt;
use std::future::pending;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Client, Command, Redis, Result};

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
/// The position is a field for each log in the hash `order-events::projection:open-orders`. To rebuild a view, run
/// the projection under a new name, with a view of its own: it begins with the first event.
///
/// A projection sees every event of its logs, in their order; among several logs, there is no order. If entries were
/// removed before it has seen them, by `max_len` for example, it stops with a `Lagged` error. So it does if a log was
/// deleted and begun again, before the first event of the new one gets into the view. It notices both by the number
/// of entries that were ever added. It cannot notice that a log was begun again, and has grown past the position
/// since, if as many of the new entries were trimmed as it has read of the old log, or have ids below the position,
/// as in a versioned log.
#[must_use = "a projection does nothing until it catches up or follows"]
pub struct Projection<M> {
    record: Record,
    logs: Vec<Log<M>>,
    batch: usize,
    skips_unreadable: bool,
    skips_missing: bool,
    polling: Polling,
    wake_ups: Option<bool>,
}

/// What [`Projection::catch_up`] has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaughtUp {
    /// The number of events that were handled, and are in the view.
    pub events: u64,
    /// The number of entries that could not be read, and were skipped; see [`Projection::skip_unreadable`].
    pub skipped: u64,
    /// The number of entries that were removed before they were read; see [`Projection::skip_missing`].
    pub missing: u64,
    /// How often another program that runs the same projection was faster.
    pub conflicts: u64,
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
    /// # Errors
    ///
    /// - that of the handler. The error names the log and the entry, `entry 5-0`. It has the kind of the handler's own
    ///   error, which is its [`source`](std::error::Error::source). Mend the handler, and call again: it goes on with
    ///   this event. To skip an event, return the unit as it is;
    /// - that of the commit, such as `Conflict` or `AlreadyExists`: the event and the view do not fit together. It
    ///   names the record, and `entry 5-0 of order-events:17`. [`operation`](crate::Error::operation) is the position
    ///   in the handler's unit. Mend the handler, or the record;
    /// - `Decode` if an entry cannot be read, and `TooLarge` if no reply has room for it. It names the log and the
    ///   entry. Use [`skip_unreadable`](Self::skip_unreadable), delete the entry, or make the event able to read it;
    /// - `Lagged` if entries were removed before they were read. Use [`skip_missing`](Self::skip_missing), or rebuild
    ///   the view of what is left: under a new name, with a view of its own;
    /// - `Lagged` if the log was deleted and begun again, and `NotFound` if the position was deleted while the
    ///   projection ran. Rebuild the view.
    ///
    /// Whatever the error, the view has all events up to the position, and none after it.
    pub fn catch_up<C: Client>(
        &self,
        client: C,
        mut handler: impl FnMut(Unit, Entry<M>) -> Result<Unit> + Send + 'static,
    ) -> C::Out<CaughtUp>
    where
        M: Send,
    {
        self.catch_up_async(client, move |unit, entry| std::future::ready(handler(unit, entry)))
    }

    /// Does the same as [`catch_up`](Self::catch_up), with a handler that waits: it can load the records that it
    /// changes.
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
    /// let view = redis.clone();
    /// let handler = move |unit: Unit, entry: Entry<Payment>| {
    ///     let view = view.clone();
    ///     async move {
    ///         let Payment { customer, cents } = entry.event;
    ///         let mut balance = Balance::load(&view, customer).await?.unwrap_or(Balance { customer, cents: 0 });
    ///         balance.cents += cents;
    ///         Ok(unit.save(&balance))
    ///     }
    /// };
    /// Payment::log("all").projection("balances").catch_up_async(&redis, handler).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`catch_up`](Self::catch_up).
    pub fn catch_up_async<C: Client, F>(
        &self,
        client: C,
        handler: impl FnMut(Unit, Entry<M>) -> F + Send + 'static,
    ) -> C::Out<CaughtUp>
    where
        M: Send,
        F: Future<Output = Result<Unit>> + Send + 'static,
    {
        let this = self.clone();
        client.run(move |session| run::run(session, this, handler))
    }

    /// Handles all events that the view does not have yet, and then those that are added, until the call is dropped
    /// or fails.
    ///
    /// It waits as a [`Tail`](crate::Tail) does: a message of a model with `publish` wakes it, and otherwise it polls
    /// at an adaptive pace, which [`polling`](Self::polling) sets. Requests that can succeed later are repeated,
    /// after waits that double up to 30 seconds, for as long as it takes; each is a `warn` event of `tracing`. The
    /// view and its position are one write, so no event is left out and none counts twice, whatever is repeated,
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
    /// Those of [`catch_up`](Self::catch_up) that cannot pass. A handler's error can pass if its kind can, such as
    /// `Timeout`: then the event is handled again.
    pub async fn follow<F>(&self, redis: &Redis, handler: impl FnMut(Unit, Entry<M>) -> F) -> Result<()>
    where
        F: Future<Output = Result<Unit>>,
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
        F: Future<Output = Result<Unit>>,
    {
        follow::follow(self, redis, shutdown, handler).await
    }

    /// Returns the entries that were skipped because they could not be read.
    ///
    /// [HGETALL](https://redis.io/docs/latest/commands/hgetall/), O(n) in the number of logs and of these entries.
    pub fn skipped<E: redis_rest::Executor>(&self, executor: E) -> E::Out<Vec<Skipped>> {
        executor.submit(self.record.push_to(Command::read("HGETALL")).decode_with(position::skipped))
    }
}

impl<M> Clone for Projection<M> {
    fn clone(&self) -> Self {
        Projection { record: self.record.clone(), logs: self.logs.clone(), ..*self }
    }
}

impl<M> fmt::Debug for Projection<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projection")
            .field("key", &self.record.key().as_str())
            .field("logs", &self.logs)
            .finish_non_exhaustive()
    }
}
