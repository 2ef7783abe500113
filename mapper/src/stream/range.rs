//! How entries are read: by ranges of ids, either way, at once or page by page.

use std::ops::{Bound, RangeBounds};

use redis_rest::commands::stream::{StreamEntry, StreamId};
use redis_rest::{Build, Client, Command, ErrorKind, Executor, Result, Session, StreamCommands as _};

use super::entry::{Entry, read_entries, read_last, read_one, read_reversed};
use super::group::MOST;
use super::{Log, StreamModel, oversized};
use crate::page_len::PageLen;

impl<M: StreamModel> Log<M> {
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
        executor.submit(self.xrange(range, count).decode_with_key(read_entries))
    }

    /// Returns up to `count` entries of a range of ids, newest first.
    ///
    /// [XREVRANGE](https://redis.io/docs/latest/commands/xrevrange/), O(n) in the number of returned entries. Otherwise
    /// as [`range`](Self::range).
    pub fn range_rev<E: Executor>(
        &self,
        executor: E,
        range: impl RangeBounds<StreamId>,
        count: u64,
    ) -> E::Out<Vec<Entry<Result<M>>>> {
        executor.submit(self.xrevrange(range, count).decode_with_key(read_reversed))
    }

    /// Returns up to `count` entries after `id`, oldest first. No entry has to have this id.
    ///
    /// It is how a program continues where it has stopped. [XRANGE](https://redis.io/docs/latest/commands/xrange/),
    /// O(n) in the number of returned entries.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis, mut position: StreamId) -> Result<()> {
    /// for entry in Reading::log("roof").after(&redis, position, 100).await? {
    ///     println!("{}", entry.event?.celsius);
    ///     position = entry.id;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn after<E: Executor>(&self, executor: E, id: StreamId, count: u64) -> E::Out<Vec<Entry<Result<M>>>> {
        // Nothing is after the greatest id, and Redis refuses to exclude it. No id is in a range that ends before it starts.
        let range = match id {
            StreamId::MAX => (Bound::Included(id), Bound::Included(StreamId::MIN)),
            _ => (Bound::Excluded(id), Bound::Unbounded),
        };
        self.range(executor, range, count)
    }

    /// Returns the last `count` entries, oldest first.
    ///
    /// [XREVRANGE](https://redis.io/docs/latest/commands/xrevrange/), O(n) in the number of returned entries.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, PartialEq, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = Reading::log("roof");
    /// let ids = log.append_many(&redis, &[Reading { celsius: 21.0 }, Reading { celsius: 20.5 }]).await?;
    /// let last = log.last(&redis, 2).await?;
    /// assert_eq!(last.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids);
    /// # Ok(())
    /// # }
    /// ```
    pub fn last<E: Executor>(&self, executor: E, count: u64) -> E::Out<Vec<Entry<Result<M>>>> {
        executor.submit(self.xrevrange(.., count).decode_with_key(read_last))
    }

    /// Returns the entry with this id, or `None` if there is none: it was removed, or never added.
    ///
    /// [XRANGE](https://redis.io/docs/latest/commands/xrange/), O(1).
    pub fn get<E: Executor>(&self, executor: E, id: StreamId) -> E::Out<Option<Entry<Result<M>>>> {
        executor.submit(self.xrange(id..=id, 1).decode_with_key(read_one))
    }

    /// Returns a stream of the entries of a range of ids, oldest first, fetched a page at a time. With the blocking
    /// client it is an iterator.
    ///
    /// Each page is one [XRANGE](https://redis.io/docs/latest/commands/xrange/) of up to 500 entries. If the range has
    /// no end, the stream also returns entries that are added while it runs.
    ///
    /// An entry whose event cannot be read has the error instead of the event; see [`Entry`]. The stream ends with an
    /// error if a page cannot be fetched.
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
        client.pages_of(Page::new(self, range, Order::OldestFirst), |session, page| page.fetch(session))
    }

    /// Returns a stream of the entries of a range of ids, newest first, fetched a page at a time. With the blocking
    /// client it is an iterator.
    ///
    /// Each page is one [XREVRANGE](https://redis.io/docs/latest/commands/xrevrange/) of up to 500 entries. Entries
    /// that are added while it runs are not returned. Otherwise as [`entries`](Self::entries).
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # fn example(redis: blocking::Redis) -> Result<()> {
    /// // The newest readings, until one is below zero.
    /// for entry in Reading::log("roof").entries_rev(&redis, ..) {
    ///     let reading = entry?.event?;
    ///     if reading.celsius < 0.0 {
    ///         break;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn entries_rev<C: Client>(&self, client: C, range: impl RangeBounds<StreamId>) -> C::Paged<Entry<Result<M>>>
    where
        M: Send + 'static,
    {
        client.pages_of(Page::new(self, range, Order::NewestFirst), |session, page| page.fetch(session))
    }

    fn xrange(&self, range: impl RangeBounds<StreamId>, count: u64) -> Command<Vec<StreamEntry<Result<M>>>> {
        self.command(Build.xrange::<M>(self.key(), range, Some(count.min(MOST))))
    }

    fn xrevrange(&self, range: impl RangeBounds<StreamId>, count: u64) -> Command<Vec<StreamEntry<Result<M>>>> {
        self.command(Build.xrevrange::<M>(self.key(), range, Some(count.min(MOST))))
    }
}

/// Which entries of a range come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
}

/// A page of the entries of a log.
struct Page<M> {
    log: Log<M>,
    order: Order,
    start: Bound<StreamId>,
    end: Bound<StreamId>,
    len: PageLen,
}

impl<M: StreamModel> Page<M> {
    fn new(log: &Log<M>, range: impl RangeBounds<StreamId>, order: Order) -> Self {
        let (start, end) = (range.start_bound().cloned(), range.end_bound().cloned());
        Page { log: log.clone(), order, start, end, len: PageLen::default() }
    }

    fn name(&self) -> &'static str {
        match self.order {
            Order::OldestFirst => "XRANGE",
            Order::NewestFirst => "XREVRANGE",
        }
    }

    fn command(&self) -> Command<Vec<Entry<Result<M>>>> {
        let (range, count) = ((self.start, self.end), self.len.get());
        match self.order {
            Order::OldestFirst => self.log.xrange(range, count).decode_with_key(read_entries),
            Order::NewestFirst => self.log.xrevrange(range, count).decode_with_key(read_reversed),
        }
    }

    /// Returns the entries of the page, and the next page if there may be one.
    async fn fetch(mut self, session: Session) -> Result<(Vec<Result<Entry<Result<M>>>>, Option<Self>)> {
        let entries: Vec<_> = loop {
            match session.submit(self.command()).await {
                Ok(entries) => break entries,
                Err(error) if self.len.divide(&error) => {}
                Err(error) if error.kind() == ErrorKind::TooLarge => {
                    let range = (self.start, self.end);
                    let id = session.submit(oversized::first_id(self.log.key(), self.name(), range)).await?;
                    break id.map(|id| oversized::entry(id, error, self.log.key())).into_iter().collect();
                }
                Err(error) => return Err(error),
            }
        };
        let is_full = entries.len() as u64 == self.len.get();
        let last = entries.last().map(|entry| entry.id).filter(|_| is_full);
        let next = last.and_then(|last| match self.order {
            // No id is beyond these, and Redis refuses to exclude them.
            Order::OldestFirst if last == StreamId::MAX => None,
            Order::NewestFirst if last == StreamId::MIN => None,
            Order::OldestFirst => Some(Page { start: Bound::Excluded(last), ..self }),
            Order::NewestFirst => Some(Page { end: Bound::Excluded(last), ..self }),
        });
        Ok((entries.into_iter().map(Ok).collect(), next))
    }
}
