//! Streams: logs of entries, and groups of consumers that share them.

mod id;
mod info;
mod options;
mod replies;

use std::ops::{Bound, RangeBounds};
use std::time::Duration;

pub use self::id::StreamId;
pub use self::info::{ConsumerInfo, ConsumerInfoFull, Delivery, GroupInfo, GroupInfoFull, StreamInfo, StreamInfoFull};
pub use self::options::{
    GroupPosition, GroupStart, NewId, ReadPosition, RefPolicy, Trim, XAddOptions, XClaimOptions, XGroupCreateOptions,
    XPendingOptions, XReadGroupOptions,
};
pub use self::replies::{AutoClaim, EntryRemoval, Pending, PendingSummary, StreamEntries, StreamEntry};
use super::list::or_empty;
use crate::arg::ToArg;
use crate::command::{Command, OneOrMore, OneOrMorePairs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::FromReply;

/// Commands on streams. The REST API does not carry `BLOCK`: poll, or wait on a
/// [subscription](crate::Redis::subscribe).
///
/// Ask for the fields of an entry as any type that decodes from pairs: a `HashMap`, or a `Vec` of pairs. Each entry has
/// a result of its own, see [`StreamEntry`]. Ranges of ids are Rust ranges.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::StreamCommands;
/// use redis_rest::commands::stream::{GroupPosition, GroupStart, XReadGroupOptions};
///
/// let id = redis.xadd("orders", [("sku", "tea"), ("quantity", "2")]).await?;
/// for entry in redis.xrange::<Vec<(String, String)>>("orders", id.., Some(10)).await? {
///     println!("{}: {:?}", entry.id, entry.fields?); // 1526919030474-0: [("sku", "tea"), ("quantity", "2")]
/// }
///
/// // A group delivers each entry to one of its consumers, which acknowledges it.
/// redis.xgroup_create("orders", "billing", GroupStart::Beginning).await?;
/// let new = [("orders", GroupPosition::New)];
/// let options = XReadGroupOptions::new().count(10);
/// for stream in redis.xreadgroup::<String, Vec<(String, String)>>("billing", "worker-1", new, options).await? {
///     for entry in stream.entries {
///         match entry.fields {
///             Ok(order) => println!("{order:?}"),
///             Err(error) => eprintln!("skipped: {error}"),
///         }
///         redis.xack("orders", "billing", entry.id).await?;
///     }
/// }
/// assert_eq!(redis.xpending("orders", "billing").await?.count, 0);
///
/// // A group can be created once.
/// let error = redis.xgroup_create("orders", "billing", GroupStart::End).await.unwrap_err();
/// assert_eq!(error.code(), Some("BUSYGROUP"));
/// # Ok(())
/// # }
/// ```
pub trait StreamCommands: Executor {
    /// Acknowledges entries of a group and returns how many were pending.
    /// [XACK](https://redis.io/docs/latest/commands/xack/), O(1) per id.
    fn xack<K>(self, key: impl ToArg, group: impl ToArg, ids: impl OneOrMore<K, Item = StreamId>) -> Self::Out<u64> {
        self.execute(Command::write("XACK").key(key).arg(group).one_or_more("id", ids))
    }

    /// Acknowledges entries of a group, removes them from the stream, and returns the outcome for each. Needs Redis
    /// 8.2. [XACKDEL](https://redis.io/docs/latest/commands/xackdel/), O(1) per id.
    fn xackdel<K>(
        self,
        key: impl ToArg,
        group: impl ToArg,
        ids: impl OneOrMore<K, Item = StreamId>,
        policy: RefPolicy,
    ) -> Self::Out<Vec<EntryRemoval>> {
        let command = Command::write("XACKDEL").key(key).arg(group).arg(policy.word());
        self.execute(command.counted("IDS", "id", ids))
    }

    /// Adds an entry and returns its id. [XADD](https://redis.io/docs/latest/commands/xadd/), O(1).
    fn xadd<K>(
        self,
        key: impl ToArg,
        fields: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>,
    ) -> Self::Out<StreamId> {
        self.execute(Command::write("XADD").key(key).arg("*").one_or_more_pairs("field and value", fields))
    }

    /// As [`xadd`](Self::xadd), with options. Returns `None` if the stream does not exist and the options say not to
    /// create it. See [`XAddOptions`] for an example. [XADD](https://redis.io/docs/latest/commands/xadd/), O(1), and
    /// O(n) for n trimmed entries.
    fn xadd_with<K>(
        self,
        key: impl ToArg,
        fields: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>,
        options: XAddOptions,
    ) -> Self::Out<Option<StreamId>> {
        self.execute(Command::write("XADD").key(key).options(options).one_or_more_pairs("field and value", fields))
    }

    /// Claims up to `count` entries, from `start` on, that have been pending with other consumers for at least
    /// `min_idle`. Entries that were removed are no longer pending, see [`AutoClaim::deleted`].
    /// [XAUTOCLAIM](https://redis.io/docs/latest/commands/xautoclaim/), O(1) per entry.
    fn xautoclaim<F: FromReply>(
        self,
        key: impl ToArg,
        group: impl ToArg,
        consumer: impl ToArg,
        min_idle: Duration,
        start: StreamId,
        count: Option<u64>,
    ) -> Self::Out<AutoClaim<StreamEntry<Result<F>>>> {
        self.execute(Command::write("XAUTOCLAIM").key(key).take_over(group, consumer, min_idle).arg(start).count(count))
    }

    /// As [`xautoclaim`](Self::xautoclaim), but returns only the ids, and does not count as a delivery.
    fn xautoclaim_justid(
        self,
        key: impl ToArg,
        group: impl ToArg,
        consumer: impl ToArg,
        min_idle: Duration,
        start: StreamId,
        count: Option<u64>,
    ) -> Self::Out<AutoClaim<StreamId>> {
        let command = Command::write("XAUTOCLAIM").key(key).take_over(group, consumer, min_idle);
        self.execute(command.arg(start).count(count).arg("JUSTID"))
    }

    /// Claims entries that have been pending with other consumers for at least `min_idle`. The reply omits entries that
    /// were removed. See [`XClaimOptions`] for an example. [XCLAIM](https://redis.io/docs/latest/commands/xclaim/), O(log n) per id.
    fn xclaim<F: FromReply>(
        self,
        key: impl ToArg,
        group: impl ToArg,
        consumer: impl ToArg,
        min_idle: Duration,
        ids: impl IntoIterator<Item = StreamId>,
        options: XClaimOptions,
    ) -> Self::Out<Vec<StreamEntry<Result<F>>>> {
        let command = Command::write("XCLAIM").key(key).take_over(group, consumer, min_idle);
        self.execute(command.one_or_more("id", ids).options(options))
    }

    /// As [`xclaim`](Self::xclaim), but returns only the ids, and does not count as a delivery.
    fn xclaim_justid(
        self,
        key: impl ToArg,
        group: impl ToArg,
        consumer: impl ToArg,
        min_idle: Duration,
        ids: impl IntoIterator<Item = StreamId>,
        options: XClaimOptions,
    ) -> Self::Out<Vec<StreamId>> {
        let command = Command::write("XCLAIM").key(key).take_over(group, consumer, min_idle);
        self.execute(command.one_or_more("id", ids).options(options).arg("JUSTID"))
    }

    /// Removes entries and returns how many existed. [XDEL](https://redis.io/docs/latest/commands/xdel/), O(1) per id.
    fn xdel<K>(self, key: impl ToArg, ids: impl OneOrMore<K, Item = StreamId>) -> Self::Out<u64> {
        self.execute(Command::write("XDEL").key(key).one_or_more("id", ids))
    }

    /// Removes entries as `policy` says and returns the outcome for each. Needs Redis 8.2.
    /// [XDELEX](https://redis.io/docs/latest/commands/xdelex/), O(1) per id.
    fn xdelex<K>(
        self,
        key: impl ToArg,
        ids: impl OneOrMore<K, Item = StreamId>,
        policy: RefPolicy,
    ) -> Self::Out<Vec<EntryRemoval>> {
        self.execute(Command::write("XDELEX").key(key).arg(policy.word()).counted("IDS", "id", ids))
    }

    /// Creates a group that reads from `start` on. Fails if the stream does not exist, and with `BUSYGROUP` if the
    /// group exists. [XGROUP CREATE](https://redis.io/docs/latest/commands/xgroup-create/), O(1).
    fn xgroup_create(self, key: impl ToArg, group: impl ToArg, start: GroupStart) -> Self::Out<()> {
        self.execute(Command::write("XGROUP").arg("CREATE").key(key).arg(group).options(start))
    }

    /// As [`xgroup_create`](Self::xgroup_create), and creates an empty stream if the key does not exist.
    fn xgroup_create_mkstream(self, key: impl ToArg, group: impl ToArg, start: GroupStart) -> Self::Out<()> {
        self.execute(Command::write("XGROUP").arg("CREATE").key(key).arg(group).options(start).arg("MKSTREAM"))
    }

    /// As [`xgroup_create`](Self::xgroup_create), with options. See [`XGroupCreateOptions`] for an example.
    fn xgroup_create_with(
        self,
        key: impl ToArg,
        group: impl ToArg,
        start: GroupStart,
        options: XGroupCreateOptions,
    ) -> Self::Out<()> {
        self.execute(Command::write("XGROUP").arg("CREATE").key(key).arg(group).options(start).options(options))
    }

    /// Creates a consumer and returns whether it is new.
    /// [XGROUP CREATECONSUMER](https://redis.io/docs/latest/commands/xgroup-createconsumer/), O(1).
    fn xgroup_createconsumer(self, key: impl ToArg, group: impl ToArg, consumer: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("XGROUP").arg("CREATECONSUMER").key(key).arg(group).arg(consumer))
    }

    /// Removes a consumer and returns how many entries were pending with it. No consumer can claim them any more.
    /// [XGROUP DELCONSUMER](https://redis.io/docs/latest/commands/xgroup-delconsumer/), O(1).
    fn xgroup_delconsumer(self, key: impl ToArg, group: impl ToArg, consumer: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::write("XGROUP").arg("DELCONSUMER").key(key).arg(group).arg(consumer))
    }

    /// Removes a group and returns whether it existed.
    /// [XGROUP DESTROY](https://redis.io/docs/latest/commands/xgroup-destroy/), O(n) in its pending entries.
    fn xgroup_destroy(self, key: impl ToArg, group: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("XGROUP").arg("DESTROY").key(key).arg(group))
    }

    /// Makes a group read from `start` on. [XGROUP SETID](https://redis.io/docs/latest/commands/xgroup-setid/), O(1).
    fn xgroup_setid(self, key: impl ToArg, group: impl ToArg, start: GroupStart) -> Self::Out<()> {
        let command = Command::idempotent_write("XGROUP").arg("SETID").key(key).arg(group);
        // The end may have moved before a second execution.
        self.execute(command.options(start).non_idempotent_if(start == GroupStart::End))
    }

    /// As [`xgroup_setid`](Self::xgroup_setid), and sets how many entries of the stream count as read, so that the
    /// group's lag is known. Needs Redis 7.
    fn xgroup_setid_entriesread(
        self,
        key: impl ToArg,
        group: impl ToArg,
        start: GroupStart,
        entries_read: u64,
    ) -> Self::Out<()> {
        let command = Command::idempotent_write("XGROUP").arg("SETID").key(key).arg(group).options(start);
        let command = command.non_idempotent_if(start == GroupStart::End);
        self.execute(command.arg("ENTRIESREAD").arg(entries_read))
    }

    /// Returns the consumers of a group. [XINFO CONSUMERS](https://redis.io/docs/latest/commands/xinfo-consumers/),
    /// O(n) in the consumers.
    fn xinfo_consumers(self, key: impl ToArg, group: impl ToArg) -> Self::Out<Vec<ConsumerInfo>> {
        self.execute(Command::read("XINFO").arg("CONSUMERS").key(key).arg(group))
    }

    /// Returns the groups of a stream. [XINFO GROUPS](https://redis.io/docs/latest/commands/xinfo-groups/), O(1).
    fn xinfo_groups(self, key: impl ToArg) -> Self::Out<Vec<GroupInfo>> {
        self.execute(Command::read("XINFO").arg("GROUPS").key(key))
    }

    /// Returns facts about a stream. [XINFO STREAM](https://redis.io/docs/latest/commands/xinfo-stream/), O(1).
    fn xinfo_stream<F: FromReply>(self, key: impl ToArg) -> Self::Out<StreamInfo<F>> {
        self.execute(Command::read("XINFO").arg("STREAM").key(key))
    }

    /// Returns facts about a stream, its groups and their consumers, with up to `count` entries of the stream and up
    /// to `count` pending entries of each group and consumer: 10 by default, and all of them if `count` is 0.
    /// [XINFO STREAM](https://redis.io/docs/latest/commands/xinfo-stream/), O(n) in the entries.
    fn xinfo_stream_full<F: FromReply>(self, key: impl ToArg, count: Option<u64>) -> Self::Out<StreamInfoFull<F>> {
        let command = Command::read("XINFO").arg("STREAM").key(key).arg("FULL");
        // Here a count of 0 is allowed, and asks for all.
        self.execute(match count {
            Some(count) => command.arg("COUNT").arg(count),
            None => command,
        })
    }

    /// Returns the number of entries. [XLEN](https://redis.io/docs/latest/commands/xlen/), O(1).
    fn xlen(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("XLEN").key(key))
    }

    /// Returns the number of pending entries of a group and of each consumer.
    /// [XPENDING](https://redis.io/docs/latest/commands/xpending/), O(1).
    fn xpending(self, key: impl ToArg, group: impl ToArg) -> Self::Out<PendingSummary> {
        self.execute(Command::read("XPENDING").key(key).arg(group))
    }

    /// Returns up to `count` pending entries of a range. See [`XPendingOptions`] for an example.
    /// [XPENDING](https://redis.io/docs/latest/commands/xpending/), O(n) in the entries.
    fn xpending_range(
        self,
        key: impl ToArg,
        group: impl ToArg,
        ids: impl RangeBounds<StreamId>,
        count: u64,
        options: XPendingOptions,
    ) -> Self::Out<Vec<Pending>> {
        let command = Command::read("XPENDING").key(key).arg(group);
        let command = match options.idle {
            Some(idle) => command.arg("IDLE").millis(idle),
            None => command,
        };
        let command = command.arg(start(&ids)).arg(end(&ids)).at_least_one(count);
        self.execute(command.args_of(options.consumer))
    }

    /// Returns the entries of a range, oldest first. [XRANGE](https://redis.io/docs/latest/commands/xrange/), O(n) in
    /// the entries.
    fn xrange<F: FromReply>(
        self,
        key: impl ToArg,
        ids: impl RangeBounds<StreamId>,
        count: Option<u64>,
    ) -> Self::Out<Vec<StreamEntry<Result<F>>>> {
        self.execute(Command::read("XRANGE").key(key).arg(start(&ids)).arg(end(&ids)).count(count))
    }

    /// Returns the entries of several streams, of each stream those after an id or the [last](ReadPosition::Last). The
    /// result omits a stream without such entries.
    ///
    /// [XREAD](https://redis.io/docs/latest/commands/xread/), O(n) in the entries.
    fn xread<K: FromReply, F: FromReply>(
        self,
        streams: impl IntoIterator<Item = (impl ToArg, impl Into<ReadPosition>)>,
        count: Option<u64>,
    ) -> Self::Out<Vec<StreamEntries<K, Result<F>>>> {
        let command = Command::read("XREAD").count(count).arg("STREAMS");
        let streams = streams.into_iter().map(|(key, position)| (key, position.into()));
        self.submit(command.streams(streams).decode_with(or_empty))
    }

    /// Returns entries of several streams to one consumer of a group: new entries, which are then pending with it, or
    /// entries that are pending already.
    ///
    /// A pending entry that was removed from its stream has no fields: its error is `NotFound`, or its fields are `None`
    /// if you ask for an `Option`.
    /// [XREADGROUP](https://redis.io/docs/latest/commands/xreadgroup/), O(n) in the entries.
    fn xreadgroup<K: FromReply, F: FromReply>(
        self,
        group: impl ToArg,
        consumer: impl ToArg,
        streams: impl IntoIterator<Item = (impl ToArg, GroupPosition)>,
        options: XReadGroupOptions,
    ) -> Self::Out<Vec<StreamEntries<K, Result<F>>>> {
        let command = Command::write("XREADGROUP").arg("GROUP").arg(group).arg(consumer).options(options);
        self.submit(command.arg("STREAMS").streams(streams).decode_with(or_empty))
    }

    /// Returns the entries of a range, newest first. [XREVRANGE](https://redis.io/docs/latest/commands/xrevrange/),
    /// O(n) in the entries.
    fn xrevrange<F: FromReply>(
        self,
        key: impl ToArg,
        ids: impl RangeBounds<StreamId>,
        count: Option<u64>,
    ) -> Self::Out<Vec<StreamEntry<Result<F>>>> {
        self.execute(Command::read("XREVRANGE").key(key).arg(end(&ids)).arg(start(&ids)).count(count))
    }

    /// Removes old entries and returns how many. See [`Trim`] for an example.
    /// [XTRIM](https://redis.io/docs/latest/commands/xtrim/), O(n) in the removed entries.
    fn xtrim(self, key: impl ToArg, trim: Trim) -> Self::Out<u64> {
        self.execute(Command::write("XTRIM").key(key).options(trim))
    }
}

impl<E: Executor> StreamCommands for E {}

impl<R> Command<R> {
    fn count(self, count: Option<u64>) -> Self {
        match count {
            Some(count) => self.arg("COUNT").at_least_one(count),
            None => self,
        }
    }

    fn millis(self, duration: Duration) -> Self {
        self.arg(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    /// Adds who takes over entries, and how long another consumer must have held them.
    fn take_over(self, group: impl ToArg, consumer: impl ToArg, min_idle: Duration) -> Self {
        self.arg(group).arg(consumer).millis(min_idle)
    }

    /// Adds all keys, and then all positions.
    fn streams<P: ToArg>(self, streams: impl IntoIterator<Item = (impl ToArg, P)>) -> Self {
        let (keys, positions): (Vec<_>, Vec<_>) = streams.into_iter().unzip();
        self.keys_of("stream", keys).args_of(positions)
    }
}

fn start(ids: &impl RangeBounds<StreamId>) -> String {
    bound(ids.start_bound(), "-")
}

fn end(ids: &impl RangeBounds<StreamId>) -> String {
    bound(ids.end_bound(), "+")
}

fn bound(bound: Bound<&StreamId>, open: &str) -> String {
    match bound {
        Bound::Included(id) => id.to_string(),
        Bound::Excluded(id) => format!("({id}"),
        Bound::Unbounded => open.to_owned(),
    }
}
