//! Versioned logs: the history of one thing, such as an order. The ids of their entries are the versions.

mod aggregate;
mod append;
mod category;
mod fold;

use std::fmt;
use std::ops::{Bound, RangeBounds};

use redis_rest::commands::stream::StreamId;
use redis_rest::{Client, Executor, Result};

pub use self::aggregate::{Aggregate, AggregateLog, Decision};
pub use self::append::{Appended, Expected};
pub use self::category::Sourced;
pub use self::fold::Versioned;
use super::StreamModel;
use super::entry::Entry;
use super::log::Log;
use super::page;

/// A log whose entries have the versions 1, 2, 3 and so on, without a hole: the history of one thing, such as an order.
/// From [`Log::versioned`].
///
/// The event that makes version 7 is the entry `7-0`. An append names the version that it expects, so a decision that
/// was made on an old version is refused, as for a record with a version.
///
/// ```no_run
/// use redis_model::prelude::*;
/// use redis_model::stream::Expected;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(stream, versioned, prefix = "order-events")]
/// enum OrderEvent {
///     Placed { sku: String },
///     Paid { cents: i64 },
///     Shipped,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = OrderEvent::log(17).versioned();
/// let placed = OrderEvent::Placed { sku: "a-1".into() };
/// let appended = log.append(&redis, Expected::NoStream, &[placed, OrderEvent::Paid { cents: 990 }]).await?;
/// assert_eq!((appended.version, log.version(&redis).await?), (2, 2));
///
/// // Another program ships the order, and this one still has version 2.
/// log.append(&redis, Expected::Exact(2), &[OrderEvent::Shipped]).await?;
/// let error = log.append(&redis, Expected::Exact(2), &[OrderEvent::Shipped]).await.unwrap_err();
/// assert_eq!((error.is_conflict(), error.stored_version()), (true, Some(3)));
///
/// for entry in log.range(&redis, 2.., 100).await? {
///     println!("{} {:?}", entry.version(), entry.event?); // 2 Paid { cents: 990 }, then 3 Shipped
/// }
/// # Ok(())
/// # }
/// ```
///
/// Events are added to such a log by its own methods alone. A plain append would end its versions for good, so the
/// attribute `versioned`, which the model needs, refuses plain appends. It also refuses `max_len` and `max_age`, because
/// a state is made of all events.
#[must_use = "a log does nothing until it is read or written"]
pub struct VersionedLog<M> {
    log: Log<M>,
    writes_category: bool,
}

/// An event of [versioned logs](VersionedLog): a [`StreamModel`] whose plain appends are refused.
///
/// [`RedisModel`](derive@crate::RedisModel) implements it if the attribute has `versioned` or `category`:
///
/// ```
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, versioned, prefix = "order-events")]
/// enum OrderEvent {
///     Paid { cents: i64 },
/// }
///
/// let log = OrderEvent::log(17).versioned(); // without the attribute `versioned`, this does not compile
/// assert_eq!(log.key(), "order-events:17");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of versioned logs",
    label = "its attribute lacks `versioned`",
    note = "add `versioned` to the attribute of the event: `#[redis(stream, versioned, prefix = \"..\")]`",
    note = "plain appends are then refused, because one of them would end the versions of the log"
)]
pub trait VersionedModel: StreamModel {}

impl<M: StreamModel> Log<M> {
    /// Returns the same log, with versions as the ids of its entries. Nothing is sent.
    ///
    /// The model needs the attribute `versioned` or `category`.
    pub fn versioned(&self) -> VersionedLog<M>
    where
        M: VersionedModel,
    {
        VersionedLog { log: self.clone(), writes_category: M::CATEGORY }
    }
}

impl<T> Entry<T> {
    /// Returns the version that this event made, in a [versioned](Log::versioned) log. Of entries of other logs, it is
    /// the time of their id: those of a [category](StreamModel::category) have the version in their event,
    /// [`Sourced::version`].
    #[must_use]
    pub fn version(&self) -> u64 {
        self.id.millis
    }
}

impl<M: StreamModel> VersionedLog<M> {
    /// Makes appends also write each event to the [category stream](StreamModel::category) of the model, in the same
    /// script. The attribute `#[redis(stream, prefix = "..", category)]` does so for all logs of a model.
    ///
    /// Each event is stored twice then. All logs of the model write to one key, which the hosted service locks for each
    /// append.
    pub fn category(mut self) -> Self {
        self.writes_category = true;
        self
    }

    /// Returns the key of the log.
    #[must_use]
    pub fn key(&self) -> &str {
        self.log.key()
    }

    /// Returns the log without its versions: for tails, groups and [projections](crate::Projection).
    #[must_use]
    pub fn log(&self) -> &Log<M> {
        &self.log
    }

    /// Returns the version of the log: the number of its events. It is 0 if there are none.
    ///
    /// A read-only script with `XINFO STREAM`, O(1). Events that were removed count.
    ///
    /// # Errors
    ///
    /// `Decode` if another writer has added entries with ids of their own.
    pub fn version<E: Executor>(&self, executor: E) -> E::Out<u64> {
        executor.submit(page::head(&self.log).and_then(|page| page.head.version()))
    }

    /// Returns up to `count` entries of a range of versions, oldest first.
    ///
    /// [XRANGE](https://redis.io/docs/latest/commands/xrange/), O(n) in the number of returned entries. An entry whose
    /// event cannot be read has the error instead of the event.
    pub fn range<E: Executor>(
        &self,
        executor: E,
        versions: impl RangeBounds<u64>,
        count: u64,
    ) -> E::Out<Vec<Entry<Result<M>>>> {
        self.log.range(executor, ids(versions), count)
    }

    /// Returns a stream of the entries of a range of versions, oldest first, fetched a page at a time. With the
    /// blocking client it is an iterator. See [`Log::entries`].
    ///
    /// It does not check that no version is missing; [`fold`](Self::fold) does.
    pub fn entries<C: Client>(&self, client: C, versions: impl RangeBounds<u64>) -> C::Paged<Entry<Result<M>>>
    where
        M: Send + 'static,
    {
        self.log.entries(client, ids(versions))
    }
}

/// Returns the ids of a range of versions.
fn ids(versions: impl RangeBounds<u64>) -> (Bound<StreamId>, Bound<StreamId>) {
    let id = |version: &u64| StreamId::new(*version, 0);
    (versions.start_bound().map(id), versions.end_bound().map(id))
}

impl<M> Clone for VersionedLog<M> {
    fn clone(&self) -> Self {
        VersionedLog { log: self.log.clone(), writes_category: self.writes_category }
    }
}

impl<M> fmt::Debug for VersionedLog<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VersionedLog").field("log", &self.log).finish_non_exhaustive()
    }
}
