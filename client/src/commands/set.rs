//! Sets: distinct members without an order.

use super::hash::WithinKey;
use super::scan::{Cursor, ScanOptions, ScanPage};
use crate::arg::ToArg;
use crate::command::{Command, OneOrMore};
use crate::executor::Executor;
use crate::reply::FromReply;

/// The commands on sets.
///
/// Methods that return all members return the collection that you ask for, such as a `HashSet` or a `Vec`.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::collections::HashSet;
/// use redis_rest::SetCommands;
///
/// assert_eq!(redis.sadd("article:1", ["rust", "redis"]).await?, 2);
/// assert_eq!(redis.sadd("article:1", ["rust"]).await?, 0); // already a member
/// redis.sadd("article:2", ["rust", "http"]).await?;
/// let common: HashSet<String> = redis.sinter(["article:1", "article:2"]).await?;
/// assert_eq!(common, HashSet::from(["rust".to_owned()]));
///
/// let nothing: [&str; 0] = [];
/// let error = redis.sadd("article:1", nothing).await.unwrap_err();
/// assert!(error.is_invalid_input()); // SADD needs at least one member
/// # Ok(())
/// # }
/// ```
pub trait SetCommands: Executor {
    /// Adds members, and returns the number of new members.
    ///
    /// [SADD](https://redis.io/docs/latest/commands/sadd/), O(n) in the members.
    fn sadd<K>(self, key: impl ToArg, members: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("SADD").key(key).one_or_more("member", members))
    }

    /// Returns the number of members.
    ///
    /// [SCARD](https://redis.io/docs/latest/commands/scard/), O(1).
    fn scard(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("SCARD").key(key))
    }

    /// Returns the members of the first set that are in none of the others.
    ///
    /// [SDIFF](https://redis.io/docs/latest/commands/sdiff/), O(n) in all members.
    fn sdiff<C: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<C> {
        self.execute(Command::read("SDIFF").keys(keys))
    }

    /// Stores the result of [`sdiff`](Self::sdiff) in `destination`, and returns its number of members.
    ///
    /// [SDIFFSTORE](https://redis.io/docs/latest/commands/sdiffstore/), O(n) in all members.
    fn sdiffstore<K>(self, destination: impl ToArg, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("SDIFFSTORE").key(destination).keys(keys))
    }

    /// Returns the members that are in all sets.
    ///
    /// [SINTER](https://redis.io/docs/latest/commands/sinter/), O(n·m) in the smallest set and the number of sets.
    fn sinter<C: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<C> {
        self.execute(Command::read("SINTER").keys(keys))
    }

    /// Returns the number of members that are in all sets, counting at most `limit` of them.
    ///
    /// [SINTERCARD](https://redis.io/docs/latest/commands/sintercard/), O(n·m) in the smallest set and the number of
    /// sets.
    fn sintercard<K>(self, keys: impl OneOrMore<K>, limit: Option<u64>) -> Self::Out<u64> {
        self.execute(Command::read("SINTERCARD").numbered_keys(keys).limit(limit))
    }

    /// Stores the result of [`sinter`](Self::sinter) in `destination`, and returns its number of members.
    ///
    /// [SINTERSTORE](https://redis.io/docs/latest/commands/sinterstore/), O(n·m) in the smallest set and the number of
    /// sets.
    fn sinterstore<K>(self, destination: impl ToArg, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("SINTERSTORE").key(destination).keys(keys))
    }

    /// Returns whether `member` is in the set.
    ///
    /// [SISMEMBER](https://redis.io/docs/latest/commands/sismember/), O(1).
    fn sismember(self, key: impl ToArg, member: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::read("SISMEMBER").key(key).arg(member))
    }

    /// Returns all members.
    ///
    /// [SMEMBERS](https://redis.io/docs/latest/commands/smembers/), O(n) in the members.
    fn smembers<C: FromReply>(self, key: impl ToArg) -> Self::Out<C> {
        self.execute(Command::read("SMEMBERS").key(key))
    }

    /// Returns whether each of `members` is in the set, in the order of `members`.
    ///
    /// [SMISMEMBER](https://redis.io/docs/latest/commands/smismember/), O(n) in the members asked for.
    fn smismember<K>(self, key: impl ToArg, members: impl OneOrMore<K>) -> Self::Out<Vec<bool>> {
        self.execute(Command::read("SMISMEMBER").key(key).one_or_more("member", members))
    }

    /// Moves a member to another set, and returns whether it was in `source`.
    ///
    /// [SMOVE](https://redis.io/docs/latest/commands/smove/), O(1).
    fn smove(self, source: impl ToArg, destination: impl ToArg, member: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("SMOVE").key(source).key(destination).arg(member))
    }

    /// Removes and returns a random member, or returns `None` if the key does not exist.
    ///
    /// [SPOP](https://redis.io/docs/latest/commands/spop/), O(1).
    fn spop<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("SPOP").key(key))
    }

    /// Removes and returns up to `count` random members.
    ///
    /// [SPOP](https://redis.io/docs/latest/commands/spop/), O(n) in the count.
    fn spop_count<V: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<V>> {
        self.execute(Command::write("SPOP").key(key).arg(count))
    }

    /// Returns a random member, or `None` if the key does not exist.
    ///
    /// [SRANDMEMBER](https://redis.io/docs/latest/commands/srandmember/), O(1).
    fn srandmember<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::read("SRANDMEMBER").key(key))
    }

    /// Returns up to `count` different random members.
    ///
    /// With a negative count, it returns exactly that many members, and may repeat them.
    ///
    /// [SRANDMEMBER](https://redis.io/docs/latest/commands/srandmember/), O(n) in the count.
    fn srandmember_count<V: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<V>> {
        self.execute(Command::read("SRANDMEMBER").key(key).arg(count))
    }

    /// Removes members, and returns the number of members that were in the set.
    ///
    /// [SREM](https://redis.io/docs/latest/commands/srem/), O(n) in the members removed.
    fn srem<K>(self, key: impl ToArg, members: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("SREM").key(key).one_or_more("member", members))
    }

    /// Returns one page of the members.
    ///
    /// [`sscan_iter`](crate::IterCommands::sscan_iter) fetches all pages.
    ///
    /// [SSCAN](https://redis.io/docs/latest/commands/sscan/), O(1) per page.
    fn sscan<V: FromReply>(self, key: impl ToArg, cursor: Cursor, options: ScanOptions) -> Self::Out<ScanPage<V>> {
        self.execute(Command::read("SSCAN").key(key).arg(cursor).options(WithinKey(options)))
    }

    /// Returns the members that are in any of the sets.
    ///
    /// [SUNION](https://redis.io/docs/latest/commands/sunion/), O(n) in all members.
    fn sunion<C: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<C> {
        self.execute(Command::read("SUNION").keys(keys))
    }

    /// Stores the result of [`sunion`](Self::sunion) in `destination`, and returns its number of members.
    ///
    /// [SUNIONSTORE](https://redis.io/docs/latest/commands/sunionstore/), O(n) in all members.
    fn sunionstore<K>(self, destination: impl ToArg, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("SUNIONSTORE").key(destination).keys(keys))
    }
}

impl<E: Executor> SetCommands for E {}
