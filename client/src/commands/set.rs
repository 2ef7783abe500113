//! Sets: members without order.

use super::hash::WithinKey;
use super::scan::{Cursor, ScanOptions, ScanPage};
use crate::arg::ToArg;
use crate::command::Command;
use crate::executor::Executor;
use crate::reply::FromReply;

/// The commands on sets. What gives all members gives whatever collection you ask for: a `HashSet`, a `Vec`.
///
/// ```
/// use std::collections::HashSet;
/// use redis_rest::{Build, SetCommands};
///
/// assert_eq!(Build.sadd("tags", ["a", "b"]).args(), ["SADD", "tags", "a", "b"]);
/// assert_eq!(Build.sinter::<HashSet<String>>(["tags", "mine"]).args(), ["SINTER", "tags", "mine"]);
/// ```
pub trait SetCommands: Executor {
    /// Adds members, and gives how many are new. [SADD](https://redis.io/docs/latest/commands/sadd/), O(n) in the members.
    fn sadd(self, key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("SADD").arg(key).one_or_more("member", members))
    }

    /// How many members there are. [SCARD](https://redis.io/docs/latest/commands/scard/), O(1).
    fn scard(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("SCARD").arg(key))
    }

    /// The members of the first set that are in none of the others.
    /// [SDIFF](https://redis.io/docs/latest/commands/sdiff/), O(n) in all members.
    fn sdiff<C: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<C> {
        self.execute(Command::read("SDIFF").one_or_more("key", keys))
    }

    /// Stores what [`sdiff`](Self::sdiff) gives, and gives how many members that has.
    /// [SDIFFSTORE](https://redis.io/docs/latest/commands/sdiffstore/), O(n) in all members.
    fn sdiffstore(self, destination: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("SDIFFSTORE").arg(destination).one_or_more("key", keys))
    }

    /// The members that are in all sets. [SINTER](https://redis.io/docs/latest/commands/sinter/), O(n·m) in the smallest
    /// set and the number of sets.
    fn sinter<C: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<C> {
        self.execute(Command::read("SINTER").one_or_more("key", keys))
    }

    /// How many members are in all sets, counted up to `limit`, if there is one.
    /// [SINTERCARD](https://redis.io/docs/latest/commands/sintercard/), O(n·m) in the smallest set and the number of sets.
    fn sintercard(self, keys: impl IntoIterator<Item = impl ToArg>, limit: Option<u64>) -> Self::Out<u64> {
        self.execute(Command::read("SINTERCARD").numbered("key", keys).limit(limit))
    }

    /// Stores what [`sinter`](Self::sinter) gives, and gives how many members that has.
    /// [SINTERSTORE](https://redis.io/docs/latest/commands/sinterstore/), O(n·m) in the smallest set and the number of sets.
    fn sinterstore(self, destination: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("SINTERSTORE").arg(destination).one_or_more("key", keys))
    }

    /// Whether `member` is in the set. [SISMEMBER](https://redis.io/docs/latest/commands/sismember/), O(1).
    fn sismember(self, key: impl ToArg, member: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::read("SISMEMBER").arg(key).arg(member))
    }

    /// All members. [SMEMBERS](https://redis.io/docs/latest/commands/smembers/), O(n) in the members.
    fn smembers<C: FromReply>(self, key: impl ToArg) -> Self::Out<C> {
        self.execute(Command::read("SMEMBERS").arg(key))
    }

    /// Whether each of `members` is in the set, in order. [SMISMEMBER](https://redis.io/docs/latest/commands/smismember/),
    /// O(n) in the members asked for.
    fn smismember(self, key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<bool>> {
        self.execute(Command::read("SMISMEMBER").arg(key).one_or_more("member", members))
    }

    /// Moves a member to another set, and says whether it was there.
    /// [SMOVE](https://redis.io/docs/latest/commands/smove/), O(1).
    fn smove(self, source: impl ToArg, destination: impl ToArg, member: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("SMOVE").arg(source).arg(destination).arg(member))
    }

    /// Takes some member. [SPOP](https://redis.io/docs/latest/commands/spop/), O(1).
    fn spop<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("SPOP").arg(key))
    }

    /// Takes up to `count` members. [SPOP](https://redis.io/docs/latest/commands/spop/), O(n) in the count.
    fn spop_count<V: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<V>> {
        self.execute(Command::write("SPOP").arg(key).arg(count))
    }

    /// Some member. [SRANDMEMBER](https://redis.io/docs/latest/commands/srandmember/), O(1).
    fn srandmember<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::read("SRANDMEMBER").arg(key))
    }

    /// Up to `count` different members; with a negative count exactly as many, possibly repeated.
    /// [SRANDMEMBER](https://redis.io/docs/latest/commands/srandmember/), O(n) in the count.
    fn srandmember_count<V: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<V>> {
        self.execute(Command::read("SRANDMEMBER").arg(key).arg(count))
    }

    /// Removes members, and gives how many there were. [SREM](https://redis.io/docs/latest/commands/srem/), O(n) in the
    /// members removed.
    fn srem(self, key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("SREM").arg(key).one_or_more("member", members))
    }

    /// One page of the members. [SSCAN](https://redis.io/docs/latest/commands/sscan/), O(1) a page.
    fn sscan<V: FromReply>(self, key: impl ToArg, cursor: Cursor, options: ScanOptions) -> Self::Out<ScanPage<V>> {
        self.execute(Command::read("SSCAN").arg(key).arg(cursor).options(WithinKey(options)))
    }

    /// The members that are in any of the sets. [SUNION](https://redis.io/docs/latest/commands/sunion/), O(n) in all members.
    fn sunion<C: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<C> {
        self.execute(Command::read("SUNION").one_or_more("key", keys))
    }

    /// Stores what [`sunion`](Self::sunion) gives, and gives how many members that has.
    /// [SUNIONSTORE](https://redis.io/docs/latest/commands/sunionstore/), O(n) in all members.
    fn sunionstore(self, destination: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("SUNIONSTORE").arg(destination).one_or_more("key", keys))
    }
}

impl<E: Executor> SetCommands for E {}
