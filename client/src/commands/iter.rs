//! `SCAN` and its family, `XRANGE` and `XREVRANGE`, page by page.

use std::ops::{Bound, RangeBounds};

use super::scan::{Cursor, ScanOptions, ScanPage};
use super::sorted_set::Scored;
use super::stream::{StreamEntry, StreamId};
use super::{GenericCommands as _, HashCommands as _, SetCommands as _, SortedSetCommands as _, StreamCommands as _};
use crate::arg::{Arg, ToArg};
use crate::command::Command;
use crate::error::Result;
use crate::executor::Paging;
use crate::executor::{Build, Client};
use crate::reply::FromReply;

/// Scans and ranges as streams ([`Pages`](crate::Pages)) or, with the blocking client, as iterators
/// ([`PageIter`](crate::PageIter)).
///
/// Each page is one request, sent when the items of the previous page are used up. If it fails, the stream ends with its
/// error.
///
/// A scan returns every item that is there throughout the scan at least once, and may repeat it. It may or may not
/// return items that are added or removed meanwhile.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis, blocking: redis_rest::blocking::Redis) -> redis_rest::Result<()> {
/// use redis_rest::IterCommands;
/// use redis_rest::commands::scan::ScanOptions;
///
/// let mut keys = redis.scan_iter::<String>(ScanOptions::new().matching("user:*").count(500));
/// while let Some(key) = keys.next().await {
///     println!("{}", key?);
/// }
///
/// for key in blocking.scan_iter::<String>(ScanOptions::new()) {
///     println!("{}", key?);
/// }
/// # Ok(())
/// # }
/// ```
pub trait IterCommands: Client {
    /// Returns all keys.
    ///
    /// [SCAN](https://redis.io/docs/latest/commands/scan/), O(1) per page, O(n) in all keys for the whole scan.
    fn scan_iter<K: FromReply + Send + 'static>(self, options: ScanOptions) -> Self::Paged<K> {
        self.paged(Scan::new(move |cursor| Build.scan(cursor, options.clone())))
    }

    /// Returns the fields and values of a hash.
    ///
    /// [HSCAN](https://redis.io/docs/latest/commands/hscan/), O(1) per page, O(n) in the fields for the whole scan.
    fn hscan_iter<F: FromReply + Send + 'static, V: FromReply + Send + 'static>(
        self,
        key: impl ToArg,
        options: ScanOptions,
    ) -> Self::Paged<(F, V)> {
        self.paged(Scan::of_key(key, options, |key, cursor, options| Build.hscan(key, cursor, options)))
    }

    /// Returns the fields of a hash, without values. Needs Redis 7.4 or Valkey 8.
    ///
    /// [HSCAN](https://redis.io/docs/latest/commands/hscan/), O(1) per page, O(n) in the fields for the whole scan.
    fn hscan_novalues_iter<F: FromReply + Send + 'static>(
        self,
        key: impl ToArg,
        options: ScanOptions,
    ) -> Self::Paged<F> {
        self.paged(Scan::of_key(key, options, |key, cursor, options| Build.hscan_novalues(key, cursor, options)))
    }

    /// Returns the members of a set.
    ///
    /// [SSCAN](https://redis.io/docs/latest/commands/sscan/), O(1) per page, O(n) in the members for the whole scan.
    fn sscan_iter<V: FromReply + Send + 'static>(self, key: impl ToArg, options: ScanOptions) -> Self::Paged<V> {
        self.paged(Scan::of_key(key, options, |key, cursor, options| Build.sscan(key, cursor, options)))
    }

    /// Returns the members and scores of a sorted set, in no particular order.
    ///
    /// [ZSCAN](https://redis.io/docs/latest/commands/zscan/), O(1) per page, O(n) in the members for the whole scan.
    fn zscan_iter<M: FromReply + Send + 'static>(
        self,
        key: impl ToArg,
        options: ScanOptions,
    ) -> Self::Paged<Scored<M>> {
        self.paged(Scan::of_key(key, options, |key, cursor, options| Build.zscan(key, cursor, options)))
    }

    /// Returns the entries of a range of a stream, oldest first, in pages of `count` entries.
    ///
    /// Each entry comes once. Entries that are added to the range before its last page is read come too.
    ///
    /// [XRANGE](https://redis.io/docs/latest/commands/xrange/), O(n) in the entries.
    fn xrange_iter<F: FromReply + Send + 'static>(
        self,
        key: impl ToArg,
        ids: impl RangeBounds<StreamId>,
        count: u64,
    ) -> Self::Paged<StreamEntry<Result<F>>> {
        let page = |key: &Arg<'_>, ids, count| Build.xrange(key, ids, Some(count));
        self.paged(Range::new(key, ids, count, page, |(_, end), last| {
            (last != StreamId::MAX).then_some((Bound::Excluded(last), end))
        }))
    }

    /// Returns the entries of a range of a stream, newest first, in pages of `count` entries.
    ///
    /// Each entry comes once.
    ///
    /// [XREVRANGE](https://redis.io/docs/latest/commands/xrevrange/), O(n) in the entries.
    fn xrevrange_iter<F: FromReply + Send + 'static>(
        self,
        key: impl ToArg,
        ids: impl RangeBounds<StreamId>,
        count: u64,
    ) -> Self::Paged<StreamEntry<Result<F>>> {
        let page = |key: &Arg<'_>, ids, count| Build.xrevrange(key, ids, Some(count));
        self.paged(Range::new(key, ids, count, page, |(start, _), last| {
            (last != StreamId::MIN).then_some((start, Bound::Excluded(last)))
        }))
    }
}

impl<C: Client> IterCommands for C {}

/// A page of `SCAN` and its family.
struct Scan<T> {
    page: Box<dyn Fn(Cursor) -> Command<ScanPage<T>> + Send>,
    cursor: Cursor,
}

impl<T> Scan<T> {
    fn new(page: impl Fn(Cursor) -> Command<ScanPage<T>> + Send + 'static) -> Self {
        Scan { page: Box::new(page), cursor: Cursor::START }
    }

    fn of_key(
        key: impl ToArg,
        options: ScanOptions,
        page: fn(&Arg<'_>, Cursor, ScanOptions) -> Command<ScanPage<T>>,
    ) -> Self
    where
        T: 'static,
    {
        let key = key.to_arg().into_owned();
        Scan::new(move |cursor| page(&key, cursor, options.clone()))
    }
}

impl<T: Send + 'static> Paging for Scan<T> {
    type Item = T;
    type Reply = ScanPage<T>;

    fn command(&self) -> Command<ScanPage<T>> {
        (self.page)(self.cursor.clone())
    }

    fn advance(self, reply: ScanPage<T>) -> (Vec<Result<T>>, Option<Self>) {
        let next = (!reply.cursor.is_finished()).then_some(Scan { cursor: reply.cursor, ..self });
        (reply.items.into_iter().map(Ok).collect(), next)
    }
}

type Ids = (Bound<StreamId>, Bound<StreamId>);

/// A page of `XRANGE` or `XREVRANGE`.
struct Range<F> {
    key: Arg<'static>,
    ids: Ids,
    count: u64,
    page: RangePage<F>,
    /// Returns the part of a range after the entry with this id, or `None` if no ids are left.
    rest: fn(Ids, StreamId) -> Option<Ids>,
}

type RangePage<F> = fn(&Arg<'_>, Ids, u64) -> Command<Vec<StreamEntry<Result<F>>>>;

impl<F> Range<F> {
    fn new(
        key: impl ToArg,
        ids: impl RangeBounds<StreamId>,
        count: u64,
        page: RangePage<F>,
        rest: fn(Ids, StreamId) -> Option<Ids>,
    ) -> Self {
        let ids = (ids.start_bound().cloned(), ids.end_bound().cloned());
        Range { key: key.to_arg().into_owned(), ids, count, page, rest }
    }
}

impl<F: Send + 'static> Paging for Range<F> {
    type Item = StreamEntry<Result<F>>;
    type Reply = Vec<StreamEntry<Result<F>>>;

    fn command(&self) -> Command<Vec<StreamEntry<Result<F>>>> {
        (self.page)(&self.key, self.ids, self.count)
    }

    fn advance(self, reply: Self::Reply) -> (Vec<Result<Self::Item>>, Option<Self>) {
        let is_full = reply.len() as u64 == self.count;
        let next = reply.last().filter(|_| is_full).and_then(|last| (self.rest)(self.ids, last.id));
        (reply.into_iter().map(Ok).collect(), next.map(|ids| Range { ids, ..self }))
    }
}
