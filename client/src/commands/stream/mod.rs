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
    GroupPosition, GroupStart, NewId, RefPolicy, Trim, XAddOptions, XClaimOptions, XPendingOptions, XReadGroupOptions,
};
pub use self::replies::{AutoClaim, EntryRemoval, Pending, PendingSummary, StreamEntries, StreamEntry};
use super::list::or_empty;
use crate::arg::ToArg;
use crate::command::Command;
use crate::executor::Executor;
use crate::reply::FromReply;

/// The commands on streams. `BLOCK` does not go over REST: poll, or wait by a subscription.
///
/// The fields of an entry are of whatever type you ask for: a `HashMap`, a `Vec` of pairs. Ranges of ids are Rust ranges.
///
/// ```
/// use redis_rest::{Build, StreamCommands};
/// use redis_rest::commands::stream::{NewId, StreamId, Trim, XAddOptions};
///
/// assert_eq!(Build.xadd("log", [("event", "paid")]).args(), ["XADD", "log", "*", "event", "paid"]);
/// let options = XAddOptions::new().trim(Trim::max_len(1000).approximately());
/// let args = Build.xadd_with("log", options, [("event", "paid")]).args();
/// assert_eq!(args, ["XADD", "log", "MAXLEN", "~", "1000", "*", "event", "paid"]);
/// let args = Build.xrange::<Vec<(String, String)>>("log", StreamId::new(5, 0).., Some(10)).args();
/// assert_eq!(args, ["XRANGE", "log", "5-0", "+", "COUNT", "10"]);
/// ```
pub trait StreamCommands: Executor {
    /// Marks entries as done by a group, and gives how many were pending.
    /// [XACK](https://redis.io/docs/latest/commands/xack/), O(1) an id.
    fn xack(self, key: impl ToArg, group: impl ToArg, ids: impl IntoIterator<Item = StreamId>) -> Self::Out<u64> {
        self.execute(Command::write("XACK").arg(key).arg(group).one_or_more("id", ids))
    }

    /// Marks entries as done by a group and removes them from the stream, and tells what became of each. Redis 8.2.
    /// [XACKDEL](https://redis.io/docs/latest/commands/xackdel/), O(1) an id.
    fn xackdel(
        self,
        key: impl ToArg,
        group: impl ToArg,
        ids: impl IntoIterator<Item = StreamId>,
        policy: RefPolicy,
    ) -> Self::Out<Vec<EntryRemoval>> {
        let command = Command::write("XACKDEL").arg(key).arg(group).arg(policy.word());
        self.execute(command.counted("IDS", "id", ids))
    }

    /// Adds an entry, and gives its id. [XADD](https://redis.io/docs/latest/commands/xadd/), O(1).
    fn xadd<F: ToArg, V: ToArg>(
        self,
        key: impl ToArg,
        fields: impl IntoIterator<Item = (F, V)>,
    ) -> Self::Out<StreamId> {
        self.execute(Command::write("XADD").arg(key).arg("*").one_or_more_pairs("field and value", fields))
    }

    /// Adds an entry, and gives its id; `None` when the stream does not exist and is not to be made.
    /// [XADD](https://redis.io/docs/latest/commands/xadd/), O(1), and O(n) in what is trimmed.
    fn xadd_with<F: ToArg, V: ToArg>(
        self,
        key: impl ToArg,
        fields: impl IntoIterator<Item = (F, V)>,
        options: XAddOptions,
    ) -> Self::Out<Option<StreamId>> {
        self.execute(Command::write("XADD").arg(key).options(options).one_or_more_pairs("field and value", fields))
    }

    /// Takes up to `count` entries, from `start` on, that other consumers have held for `min_idle`.
    /// [XAUTOCLAIM](https://redis.io/docs/latest/commands/xautoclaim/), O(1) an entry.
    fn xautoclaim<F: FromReply>(
        self,
        key: impl ToArg,
        group: impl ToArg,
        consumer: impl ToArg,
        min_idle: Duration,
        start: StreamId,
        count: Option<u64>,
    ) -> Self::Out<AutoClaim<StreamEntry<F>>> {
        self.execute(Command::write("XAUTOCLAIM").arg(key).take_over(group, consumer, min_idle).arg(start).count(count))
    }

    /// As [`xautoclaim`](Self::xautoclaim), giving the ids alone, and not counting it as a delivery.
    fn xautoclaim_justid(
        self,
        key: impl ToArg,
        group: impl ToArg,
        consumer: impl ToArg,
        min_idle: Duration,
        start: StreamId,
        count: Option<u64>,
    ) -> Self::Out<AutoClaim<StreamId>> {
        let command = Command::write("XAUTOCLAIM").arg(key).take_over(group, consumer, min_idle);
        self.execute(command.arg(start).count(count).arg("JUSTID"))
    }

    /// Takes entries that other consumers have held for `min_idle`.
    /// [XCLAIM](https://redis.io/docs/latest/commands/xclaim/), O(log n) an id.
    fn xclaim<F: FromReply>(
        self,
        key: impl ToArg,
        group: impl ToArg,
        consumer: impl ToArg,
        min_idle: Duration,
        ids: impl IntoIterator<Item = StreamId>,
        options: XClaimOptions,
    ) -> Self::Out<Vec<StreamEntry<F>>> {
        let command = Command::write("XCLAIM").arg(key).take_over(group, consumer, min_idle);
        self.execute(command.one_or_more("id", ids).options(options))
    }

    /// As [`xclaim`](Self::xclaim), giving the ids alone, and not counting it as a delivery.
    fn xclaim_justid(
        self,
        key: impl ToArg,
        group: impl ToArg,
        consumer: impl ToArg,
        min_idle: Duration,
        ids: impl IntoIterator<Item = StreamId>,
        options: XClaimOptions,
    ) -> Self::Out<Vec<StreamId>> {
        let command = Command::write("XCLAIM").arg(key).take_over(group, consumer, min_idle);
        self.execute(command.one_or_more("id", ids).options(options).arg("JUSTID"))
    }

    /// Removes entries, and gives how many there were. [XDEL](https://redis.io/docs/latest/commands/xdel/), O(1) an id.
    fn xdel(self, key: impl ToArg, ids: impl IntoIterator<Item = StreamId>) -> Self::Out<u64> {
        self.execute(Command::write("XDEL").arg(key).one_or_more("id", ids))
    }

    /// Removes entries as the policy says, and tells what became of each. Redis 8.2.
    /// [XDELEX](https://redis.io/docs/latest/commands/xdelex/), O(1) an id.
    fn xdelex(
        self,
        key: impl ToArg,
        ids: impl IntoIterator<Item = StreamId>,
        policy: RefPolicy,
    ) -> Self::Out<Vec<EntryRemoval>> {
        self.execute(Command::write("XDELEX").arg(key).arg(policy.word()).counted("IDS", "id", ids))
    }

    /// Makes a group that reads from `start` on; with `mkstream`, and the stream too if it does not exist.
    /// [XGROUP CREATE](https://redis.io/docs/latest/commands/xgroup-create/), O(1).
    fn xgroup_create(self, key: impl ToArg, group: impl ToArg, start: GroupStart) -> Self::Out<()> {
        self.execute(Command::write("XGROUP").arg("CREATE").arg(key).arg(group).options(start))
    }

    /// As xgroup_create
    fn xgroup_create_mkstream(self, key: impl ToArg, group: impl ToArg, start: GroupStart) -> Self::Out<()> {
        self.execute(Command::write("XGROUP").arg("CREATE").arg(key).arg(group).options(start).arg("MKSTREAM"))
    }

    /// Makes a consumer, and says whether it is new.
    /// [XGROUP CREATECONSUMER](https://redis.io/docs/latest/commands/xgroup-createconsumer/), O(1).
    fn xgroup_createconsumer(self, key: impl ToArg, group: impl ToArg, consumer: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("XGROUP").arg("CREATECONSUMER").arg(key).arg(group).arg(consumer))
    }

    /// Removes a consumer, and gives how many entries it held: they are pending no more.
    /// [XGROUP DELCONSUMER](https://redis.io/docs/latest/commands/xgroup-delconsumer/), O(1).
    fn xgroup_delconsumer(self, key: impl ToArg, group: impl ToArg, consumer: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::write("XGROUP").arg("DELCONSUMER").arg(key).arg(group).arg(consumer))
    }

    /// Removes a group, and says whether there was one.
    /// [XGROUP DESTROY](https://redis.io/docs/latest/commands/xgroup-destroy/), O(n) in its pending entries.
    fn xgroup_destroy(self, key: impl ToArg, group: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("XGROUP").arg("DESTROY").arg(key).arg(group))
    }

    /// Lets a group read from `start` on. [XGROUP SETID](https://redis.io/docs/latest/commands/xgroup-setid/), O(1).
    fn xgroup_setid(self, key: impl ToArg, group: impl ToArg, start: GroupStart) -> Self::Out<()> {
        let command = Command::idempotent_write("XGROUP").arg("SETID").arg(key).arg(group);
        // The end may have moved before a second execution.
        self.execute(command.options(start).non_idempotent_if(start == GroupStart::End))
    }

    /// A group's consumers. [XINFO CONSUMERS](https://redis.io/docs/latest/commands/xinfo-consumers/), O(n).
    fn xinfo_consumers(self, key: impl ToArg, group: impl ToArg) -> Self::Out<Vec<ConsumerInfo>> {
        self.execute(Command::read("XINFO").arg("CONSUMERS").arg(key).arg(group))
    }

    /// A stream's groups. [XINFO GROUPS](https://redis.io/docs/latest/commands/xinfo-groups/), O(1).
    fn xinfo_groups(self, key: impl ToArg) -> Self::Out<Vec<GroupInfo>> {
        self.execute(Command::read("XINFO").arg("GROUPS").arg(key))
    }

    /// What there is to know of a stream. [XINFO STREAM](https://redis.io/docs/latest/commands/xinfo-stream/), O(1).
    fn xinfo_stream<F: FromReply>(self, key: impl ToArg) -> Self::Out<StreamInfo<F>> {
        self.execute(Command::read("XINFO").arg("STREAM").arg(key))
    }

    /// All there is to know of a stream, up to `count` entries, and of each group and consumer up to as many pending
    /// ones; 10 by default, and all of them for 0. [XINFO STREAM](https://redis.io/docs/latest/commands/xinfo-stream/), O(n) in the entries.
    fn xinfo_stream_full<F: FromReply>(self, key: impl ToArg, count: Option<u64>) -> Self::Out<StreamInfoFull<F>> {
        let command = Command::read("XINFO").arg("STREAM").arg(key).arg("FULL");
        // Here a count of 0 is allowed, and asks for all.
        self.execute(match count {
            Some(count) => command.arg("COUNT").arg(count),
            None => command,
        })
    }

    /// How many entries there are. [XLEN](https://redis.io/docs/latest/commands/xlen/), O(1).
    fn xlen(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("XLEN").arg(key))
    }

    /// How many entries are pending in a group, and with whom.
    /// [XPENDING](https://redis.io/docs/latest/commands/xpending/), O(1).
    fn xpending(self, key: impl ToArg, group: impl ToArg) -> Self::Out<PendingSummary> {
        self.execute(Command::read("XPENDING").arg(key).arg(group))
    }

    /// Up to `count` pending entries of a range. [XPENDING](https://redis.io/docs/latest/commands/xpending/), O(n).
    fn xpending_range(
        self,
        key: impl ToArg,
        group: impl ToArg,
        ids: impl RangeBounds<StreamId>,
        count: u64,
        options: XPendingOptions,
    ) -> Self::Out<Vec<Pending>> {
        let command = Command::read("XPENDING").arg(key).arg(group);
        let command = match options.idle {
            Some(idle) => command.arg("IDLE").millis(idle),
            None => command,
        };
        let command = command.arg(start(&ids)).arg(end(&ids)).at_least_one(count);
        self.execute(command.args_of(options.consumer))
    }

    /// The entries of a range, oldest first. [XRANGE](https://redis.io/docs/latest/commands/xrange/), O(n).
    fn xrange<F: FromReply>(
        self,
        key: impl ToArg,
        ids: impl RangeBounds<StreamId>,
        count: Option<u64>,
    ) -> Self::Out<Vec<StreamEntry<F>>> {
        self.execute(Command::read("XRANGE").arg(key).arg(start(&ids)).arg(end(&ids)).count(count))
    }

    /// The entries of several streams, each behind its id; a stream without any is left out.
    /// [XREAD](https://redis.io/docs/latest/commands/xread/), O(n) in the entries.
    fn xread<K: FromReply, F: FromReply>(
        self,
        streams: impl IntoIterator<Item = (impl ToArg, StreamId)>,
        count: Option<u64>,
    ) -> Self::Out<Vec<StreamEntries<K, F>>> {
        let command = Command::read("XREAD").count(count).arg("STREAMS");
        self.submit(command.streams(streams).decode_with(or_empty))
    }

    /// The entries of several streams for one consumer of a group: new ones, which are then pending with it, or those
    /// that are. Of a pending entry that was removed the fields are nil: ask for an `Option`.
    /// [XREADGROUP](https://redis.io/docs/latest/commands/xreadgroup/), O(n) in the entries.
    fn xreadgroup<K: FromReply, F: FromReply>(
        self,
        group: impl ToArg,
        consumer: impl ToArg,
        streams: impl IntoIterator<Item = (impl ToArg, GroupPosition)>,
        options: XReadGroupOptions,
    ) -> Self::Out<Vec<StreamEntries<K, F>>> {
        let command = Command::write("XREADGROUP").arg("GROUP").arg(group).arg(consumer).options(options);
        self.submit(command.arg("STREAMS").streams(streams).decode_with(or_empty))
    }

    /// The entries of a range, newest first. [XREVRANGE](https://redis.io/docs/latest/commands/xrevrange/), O(n).
    fn xrevrange<F: FromReply>(
        self,
        key: impl ToArg,
        ids: impl RangeBounds<StreamId>,
        count: Option<u64>,
    ) -> Self::Out<Vec<StreamEntry<F>>> {
        self.execute(Command::read("XREVRANGE").arg(key).arg(end(&ids)).arg(start(&ids)).count(count))
    }

    /// Removes old entries, and gives how many. [XTRIM](https://redis.io/docs/latest/commands/xtrim/), O(n) in what is
    /// removed.
    fn xtrim(self, key: impl ToArg, trim: Trim) -> Self::Out<u64> {
        self.execute(Command::write("XTRIM").arg(key).options(trim))
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
        self.one_or_more("stream", keys).args_of(positions)
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
