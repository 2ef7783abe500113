//! The commands of a log.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use redis_rest::commands::stream::StreamId;
use redis_rest::{Build, Client, Command, Executor, FromReply, Paging, Result, StreamCommands};

use super::StreamModel;
use super::entry::{Entry, read_entries};
use super::group::Group;
use crate::key::Key;
use crate::pairs::FieldPairs;

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
/// for entry in log.range(&redis, first.., 2).await? {
///     println!("{} {}", entry.id, entry.event?.celsius); // 21.5, then 21
/// }
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
    pub(super) fn new(key: &str) -> Self {
        Log { key: Key::new(M::MODEL_NAME, M::KEY_PREFIX, key), of: PhantomData }
    }

    /// Returns the key of the log.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// Returns a consumer group of the log. Nothing is sent: [`Group::create`](crate::Group::create) creates it.
    #[must_use]
    pub fn group(&self, name: impl Into<String>) -> Group<M> {
        Group::new(self.clone(), name.into())
    }

    /// Names the log in the errors of a command, and makes it fail if the key is malformed.
    pub(super) fn check<R>(&self, command: Command<R>) -> Command<R> {
        self.key.check(command)
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
    /// An entry whose event cannot be read has the error instead of the event; see [`Entry`].
    pub fn range<E: Executor>(
        &self,
        executor: E,
        range: impl RangeBounds<StreamId>,
        count: u64,
    ) -> E::Out<Vec<Entry<Result<M>>>> {
        executor.submit(self.xrange(range, count))
    }

    fn xrange(&self, range: impl RangeBounds<StreamId>, count: u64) -> Command<Vec<Entry<Result<M>>>> {
        self.key.check(Build.xrange::<M>(self.key(), range, Some(count))).decode_with_key(read_entries)
    }

    /// Returns a stream of the entries of a range of ids, oldest first, fetched a page at a time. With the blocking
    /// client it is an iterator.
    ///
    /// Each page is one [XRANGE](https://redis.io/docs/latest/commands/xrange/), O(n) in the number of its entries. If
    /// the range has no end, the stream also returns entries that are added while it runs.
    ///
    /// An entry whose event cannot be read has the error instead of the event; see [`Entry`]. The stream ends with an error
    /// if a page cannot be fetched.
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
    ///     let Entry { id, event } = entry?;
    ///     match event {
    ///         Ok(event) => println!("{id}: {event:?}"),
    ///         Err(error) => println!("skipped: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn entries<C: Client>(&self, client: C, range: impl RangeBounds<StreamId>) -> C::Paged<Entry<Result<M>>>
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
    type Item = Entry<Result<M>>;
    type Reply = Vec<Entry<Result<M>>>;

    fn command(&self) -> Command<Self::Reply> {
        self.log.xrange(self.range, PAGE_LEN)
    }

    fn advance(self, reply: Self::Reply) -> (Vec<Result<Self::Item>>, Option<Self>) {
        let is_full = reply.len() as u64 == PAGE_LEN;
        let last = reply.last().map(|entry| entry.id).filter(|last| is_full && *last != StreamId::MAX);
        let next = last.map(|last| Page { range: (Bound::Excluded(last), self.range.1), ..self });
        (reply.into_iter().map(Ok).collect(), next)
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
