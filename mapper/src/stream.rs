//! Typed event logs: a Redis stream at `prefix:key`. Each entry holds the fields of one event.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use redis_rest::commands::stream::{StreamEntry, StreamId};
use redis_rest::{Build, Client, Command, Executor, FromReply, Paging, Reply, Result, StreamCommands};

use crate::key::{Key, KeyPart};
use crate::model::Fields;
use crate::pairs::{FieldPairs, ReplyPairs};

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
/// assert_eq!((entries[0].id, &entries[0].event), (id, &paid));
/// # Ok(())
/// # }
/// ```
pub trait StreamModel: Fields {
    /// The name of the type, for errors.
    const MODEL_NAME: &'static str;

    /// The first part of each key, without the separator.
    const KEY_PREFIX: &'static str;

    /// The approximate number of entries that a log keeps. With `None`, it keeps all entries.
    const MAX_LEN: Option<u64>;

    /// Returns the log at `prefix:key`. Nothing is sent.
    fn log(key: impl KeyPart) -> Log<Self> {
        Log { key: Key::new(Self::MODEL_NAME, Self::KEY_PREFIX, &key.to_key_part()), of: PhantomData }
    }
}

/// An event and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry<T> {
    /// The id of the entry.
    pub id: StreamId,
    /// The event.
    pub event: T,
}

/// A log of events of the type `M`, from [`StreamModel::log`].
///
/// The methods take any [`Executor`]: a client, a pipeline, a transaction or a batch.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(stream, prefix = "temperature")]
/// struct Reading {
///     celsius: f64,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = Reading::log("roof");
/// let first = log.append(&redis, &Reading { celsius: 21.5 }).await?;
/// let rest = log.append_many(&redis, &[Reading { celsius: 21.0 }, Reading { celsius: 20.5 }]).await?;
/// assert_eq!((rest.len(), log.len(&redis).await?), (2, 3));
///
/// let since: Vec<_> = log.range(&redis, first.., 2).await?.into_iter().map(|entry| entry.event.celsius).collect();
/// assert_eq!(since, [21.5, 21.0]);
/// # Ok(())
/// # }
/// ```
pub struct Log<M> {
    key: Key,
    of: PhantomData<fn(M) -> M>,
}

/// The number of entries in a page of [`Log::entries`].
const PAGE_LEN: u64 = 500;

impl<M: StreamModel> Log<M> {
    /// Returns the key of the log.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// Adds an event after the last one, and returns the id of its entry.
    ///
    /// [XADD](https://redis.io/docs/latest/commands/xadd/), O(1). It is not retried if it may have been executed,
    /// because that could add the event twice.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// match Reading::log("roof").append(&redis, &Reading { celsius: 21.5 }).await {
    ///     Ok(id) => println!("added as {id}"),
    ///     Err(error) if error.may_have_executed() => println!("perhaps added: {error}"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` if all fields of the event are `None`. An entry needs at least one field.
    pub fn append<E: Executor>(&self, executor: E, event: &M) -> E::Out<StreamId> {
        executor.submit(self.add(event))
    }

    /// Adds events after the last one, in order, and returns the ids of their entries. No other client's entry comes
    /// between them.
    ///
    /// [XADD](https://redis.io/docs/latest/commands/xadd/)s in one transaction, O(n) in the number of events.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = Reading::log("roof");
    /// let ids = log.append_many(&redis, &[Reading { celsius: 21.0 }, Reading { celsius: 20.5 }]).await?;
    /// assert!(ids.len() == 2 && ids[0] < ids[1]);
    ///
    /// let error = log.append_many(&redis, []).await.unwrap_err();
    /// assert!(error.is_invalid_input());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no events, or if all fields of an event are `None`.
    pub fn append_many<'m, E: Executor>(
        &self,
        executor: E,
        events: impl IntoIterator<Item = &'m M>,
    ) -> E::Out<Vec<StreamId>> {
        let mut events = events.into_iter();
        let Some(first) = events.next() else {
            return executor.execute(self.key.push_to(Command::write("XADD")).reject("needs at least one event"));
        };
        let first = self.add(first).decode_with(|reply| Ok(vec![StreamId::from_reply(reply)?]));
        executor.submit(events.fold(first, |group, event| {
            group.and(self.add(event), |replies| replies.map(StreamId::from_reply).collect())
        }))
    }

    /// Returns up to `count` entries of a range of ids, oldest first.
    ///
    /// [XRANGE](https://redis.io/docs/latest/commands/xrange/), O(n) in the number of returned entries.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = Reading::log("roof");
    /// let id = log.append(&redis, &Reading { celsius: 21.5 }).await?;
    /// assert_eq!(log.range(&redis, .., 100).await?.len(), 1);
    /// assert_eq!(log.range(&redis, id.., 100).await?.len(), 1);
    /// assert_eq!(log.range(&redis, ..id, 100).await?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Decode` if an entry cannot be read. The text of the error names the entry. [`entries`](Log::entries) returns
    /// the others too.
    pub fn range<E: Executor>(
        &self,
        executor: E,
        range: impl RangeBounds<StreamId>,
        count: u64,
    ) -> E::Out<Vec<Entry<M>>> {
        executor.submit(self.xrange(range, count).decode_with(|reply| reply.array()?.map(read_entry).collect()))
    }

    fn xrange(&self, range: impl RangeBounds<StreamId>, count: u64) -> Command<Vec<StreamEntry<()>>> {
        self.key.check(Build.xrange(self.key(), range, Some(count)))
    }

    /// Returns a stream of the entries of a range of ids, oldest first, fetched a page at a time. With the blocking
    /// client it is an iterator.
    ///
    /// Each page is one [XRANGE](https://redis.io/docs/latest/commands/xrange/), O(n) in the number of its entries. If
    /// the range has no end, the stream also returns entries that are added while it runs.
    ///
    /// An entry that cannot be read is an `Err` that names it. The stream then continues with the next entry.
    ///
    /// ```no_run
    /// # use redis_model::{Entry, prelude::*};
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = Reading::log("roof");
    /// let mut entries = log.entries(&redis, ..);
    /// while let Some(entry) = entries.next().await {
    ///     match entry {
    ///         Ok(Entry { id, event }) => println!("{id}: {event:?}"),
    ///         Err(error) if error.is_decode() => println!("skipped: {error}"),
    ///         Err(error) => return Err(error),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn entries<C: Client>(&self, client: C, range: impl RangeBounds<StreamId>) -> C::Paged<Entry<M>>
    where
        M: Send + 'static,
    {
        let range = (range.start_bound().cloned(), range.end_bound().cloned());
        client.paged(Page { log: self.clone(), range })
    }

    /// Returns the number of entries.
    ///
    /// [XLEN](https://redis.io/docs/latest/commands/xlen/), O(1).
    pub fn len<E: Executor>(&self, executor: E) -> E::Out<u64> {
        executor.submit(self.key.check(Build.xlen(self.key())))
    }

    fn add(&self, event: &M) -> Command<StreamId> {
        let mut command = self.key.push_to(Command::write("XADD"));
        if let Some(max_len) = M::MAX_LEN {
            command = command.arg("MAXLEN").arg("~").arg(max_len);
        }
        let mut fields = FieldPairs::default();
        match event.write(&mut fields) {
            // An event whose fields are all None cannot be an entry: XADD needs at least one field.
            Ok(()) => command.arg("*").one_or_more_pairs("field that is not None", fields.pairs()),
            Err(error) => command.fail(error),
        }
        .reply()
    }
}

/// A page of the entries of a log.
struct Page<M> {
    log: Log<M>,
    range: (Bound<StreamId>, Bound<StreamId>),
}

impl<M: StreamModel + Send + 'static> Paging for Page<M> {
    type Item = Entry<M>;
    type Reply = Vec<(StreamId, Result<M>)>;

    fn command(&self) -> Command<Self::Reply> {
        self.log.xrange(self.range, PAGE_LEN).decode_with(read_page::<M>)
    }

    fn advance(self, reply: Self::Reply) -> (Vec<Result<Entry<M>>>, Option<Self>) {
        let Page { log, range: (_, end) } = self;
        let is_full = reply.len() as u64 == PAGE_LEN;
        let next = reply
            .last()
            .filter(|(last, _)| is_full && *last != StreamId::MAX)
            .map(|(last, _)| (Bound::Excluded(*last), end));
        let entries = reply.into_iter().map(|(id, event)| match event {
            Ok(event) => Ok(Entry { id, event }),
            Err(error) => Err(error.about(M::MODEL_NAME, log.key())),
        });
        (entries.collect(), next.map(|range| Page { log: log.clone(), range }))
    }
}

impl<M> Clone for Log<M> {
    fn clone(&self) -> Self {
        Log { key: self.key.clone(), of: PhantomData }
    }
}

impl<M> fmt::Debug for Log<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("key", &self.key.as_str()).finish_non_exhaustive()
    }
}

fn read_entry<M: StreamModel>(reply: Reply<'_>) -> Result<Entry<M>> {
    let (id, event) = read_event(reply)?;
    Ok(Entry { id, event: event? })
}

/// Reads the entries of a page. An event that cannot be read does not affect the others.
fn read_page<M: StreamModel>(reply: Reply<'_>) -> Result<Vec<(StreamId, Result<M>)>> {
    reply.array()?.map(read_event).collect()
}

fn read_event<M: StreamModel>(reply: Reply<'_>) -> Result<(StreamId, Result<M>)> {
    let [id, fields] = reply.array_of()?;
    let id = StreamId::from_reply(id)?;
    let event = fields.pairs().and_then(|pairs| M::read(ReplyPairs(pairs)));
    Ok((id, event.map_err(|error| error.context(format!("entry {id}")))))
}
