//! Typed event logs: a Redis stream at `prefix:key`. Each entry holds the fields of one event.

mod append;
mod claim;
mod entry;
mod explain;
mod facts;
mod fold;
mod group;
mod info;
mod log;
mod oversized;
mod page;
mod projection;
mod range;
mod reserved;
mod retention;
mod snapshot;
mod tail;
mod unit;
mod unknown;
mod versioned;
mod wake;
mod watch;
mod worker;

use std::time::Duration;

use redis_rest::{FromReply, LiveClient, Reply, Result};

pub use self::append::AppendOptions;
pub use self::claim::Claimed;
pub use self::entry::Entry;
pub use self::group::{Group, GroupStatus};
pub use self::info::LogInfo;
pub use self::log::Log;
pub use self::projection::{CaughtUp, HandlerError, Projection, ProjectionNotice, Skipped};
pub use self::retention::Retention;
pub use self::snapshot::Snapshots;
pub use self::tail::{LogEntry, Polling, Since, Tail, TailMany, TailOptions, TailToken};
pub use self::unknown::UnknownEvent;
#[doc(hidden)]
pub use self::unknown::UnknownVariant;
pub(crate) use self::unknown::not_written;
pub use self::versioned::{
    Aggregate, AggregateLog, Appended, Decision, Expected, Sourced, Versioned, VersionedLog, VersionedModel,
};
pub use self::worker::{Counters, Counts, DeadLetter, Delivered, Notice, Worker};
use crate::key::{Key, KeyPart};
use crate::model::Fields;
use crate::pairs::ReplyPairs;

/// An event of typed logs: a struct or an enum, stored as an entry of a stream.
///
/// Derive it with [`RedisModel`](derive@crate::RedisModel) and `#[redis(stream, prefix = "..")]`. The variant of an
/// enum is the field `event`, or the field that `tag = ".."` names.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(stream, prefix = "order-events", max_len = 1_000_000)]
/// enum OrderEvent {
///     Placed { sku: String, quantity: u32 },
///     Paid { cents: i64 },
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = OrderEvent::log(17);  // the Redis stream at `order-events:17`
/// let paid = OrderEvent::Paid { cents: 990 };
/// let id = log.append(&redis, &paid).await?;  // XADD order-events:17 MAXLEN ~ 1000000 * event Paid cents 990
///
/// let entries = log.range(&redis, .., 10).await?;
/// for entry in entries {
///     assert_eq!((entry.id, entry.event?), (id, paid.clone()));
/// }
/// # Ok(())
/// # }
/// ```
///
/// An event is also what the commands on streams return:
///
/// ```no_run
/// # use redis_model::commands::stream::{GroupPosition, GroupStart, XReadGroupOptions};
/// # use redis_model::prelude::*;
/// # #[derive(Debug, Clone, PartialEq, RedisModel)]
/// # #[redis(stream, prefix = "order-events")]
/// # enum OrderEvent { Paid { cents: i64 } }
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = OrderEvent::log(17);
/// redis.xgroup_create_mkstream(log.key(), "billing", GroupStart::Beginning).await?;
/// let new = [(log.key(), GroupPosition::New)];
/// for stream in redis.xreadgroup::<String, OrderEvent>("billing", "worker-1", new, XReadGroupOptions::new()).await? {
///     for entry in stream.entries {
///         match entry.fields {
///             Ok(event) => println!("{event:?}"),
///             Err(error) => eprintln!("{} is set aside: {error}", entry.id),
///         }
///         redis.xack(log.key(), "billing", entry.id).await?;
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub trait StreamModel: Fields + FromReply {
    /// The name of the type, for errors.
    const MODEL_NAME: &'static str;

    /// The first part of each key, without the separator.
    const KEY_PREFIX: &'static str;

    /// The number of entries that each append keeps. With `None`, their number has no limit.
    const MAX_LEN: Option<u64>;

    /// The age up to which each append keeps entries. With `None`, it keeps entries of any age.
    const MAX_AGE: Option<Duration>;

    /// Whether these limits are exact. Otherwise some more entries stay, which is cheaper; see [`Retention`].
    const EXACT: bool;

    /// Whether each append publishes the id of the last entry on the channel that has the name of the log's key, so that tails
    /// and workers wake up at once.
    const PUBLISH: bool;

    /// Whether [versioned](Log::versioned) logs also write each event to the category stream of the model: the attribute
    /// `category`.
    const CATEGORY: bool = false;

    /// Whether plain appends are refused, because one of them would end the versions of a [versioned](Log::versioned) log. It is
    /// true for each [`VersionedModel`].
    const VERSIONED: bool = false;

    /// Returns the log at `prefix:key`. Nothing is sent.
    fn log(key: impl KeyPart) -> Log<Self> {
        Log::new(&key.to_key_part())
    }

    /// Returns the category stream of the model: all events of its versioned logs that are written with
    /// [`category`](VersionedLog::category), in one order. Nothing is sent.
    ///
    /// It is a [`Log`] as any other, whose events are [`Sourced`]: they also name their log and their version.
    fn category() -> Log<Sourced<Self>>
    where
        Self: Sized,
    {
        Log::at(Key::of_model(Self::MODEL_NAME, Self::KEY_PREFIX, "category"))
    }

    /// Returns one stream of the entries of several logs, and then of those that are added. With the blocking client it is an
    /// iterator. See [`TailMany`].
    ///
    /// ```no_run
    /// use redis_model::Since;
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "chat", publish)]
    /// # struct Said { text: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let rooms = ["lobby", "kitchen"].map(|room| (Said::log(room), Since::Now));
    /// let mut all = Said::tail_many(&redis, rooms);
    /// while let Some(said) = all.next().await {
    ///     let said = said?;
    ///     println!("{}: {:?}", said.log.key(), said.entry.event);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn tail_many<C: LiveClient>(
        client: C,
        logs: impl IntoIterator<Item = (Log<Self>, Since)>,
    ) -> C::Live<TailMany<Self>>
    where
        Self: Send + 'static,
    {
        Self::tail_many_with(client, logs, TailOptions::new())
    }

    /// As [`tail_many`](StreamModel::tail_many), with options.
    fn tail_many_with<C: LiveClient>(
        client: C,
        logs: impl IntoIterator<Item = (Log<Self>, Since)>,
        options: TailOptions,
    ) -> C::Live<TailMany<Self>>
    where
        Self: Send + 'static,
    {
        let logs: Vec<_> = logs.into_iter().collect();
        client.live(move |redis| TailMany::new(redis, &logs, options))
    }
}

/// Reads an event from the fields of an entry.
pub(crate) fn from_reply<M: Fields>(reply: Reply<'_>) -> Result<M> {
    M::read(reserved::WithoutReserved(ReplyPairs(reply.pairs()?)))
}
