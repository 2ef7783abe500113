//! Sorted sets: members by score, and by name where scores are equal.

mod options;

use std::ops::RangeBounds;

use self::options::{By, Reversed, ScoreRange};
pub use self::options::{LexRange, Scored, ZAddOptions, ZCombineOptions, ZEnd, ZRange};
use super::hash::WithinKey;
use super::list::Popped;
use super::scan::{Cursor, ScanOptions, ScanPage};
use crate::arg::ToArg;
use crate::command::Command;
use crate::executor::Executor;
use crate::reply::FromReply;

/// The commands on sorted sets.
///
/// Ranges of scores are Rust ranges: `1.0..2.0` is without its end, `..=5.0` with it, `..` is all. The forms that Redis
/// deprecates in favour of [`zrange`](Self::zrange) are here too.
///
/// ```
/// use redis_rest::{Build, SortedSetCommands};
/// use redis_rest::commands::sorted_set::{LexRange, ZAddOptions, ZRange};
///
/// assert_eq!(Build.zadd("board", [(5.0, "ada")]).args(), ["ZADD", "board", "5", "ada"]);
/// let best = ZRange::score(10.0..).rev().limit(0, 3);
/// let args = Build.zrange::<Vec<String>>("board", best).args();
/// assert_eq!(args, ["ZRANGE", "board", "+inf", "10", "BYSCORE", "REV", "LIMIT", "0", "3"]);
/// ```
pub trait SortedSetCommands: Executor {
    /// Adds members, or changes their scores, and gives how many are new.
    /// [ZADD](https://redis.io/docs/latest/commands/zadd/), O(log n) a member.
    fn zadd<M: ToArg>(self, key: impl ToArg, members: impl IntoIterator<Item = (f64, M)>) -> Self::Out<u64> {
        self.execute(Command::write("ZADD").arg(key).scored(members))
    }

    /// As [`zadd`](Self::zadd), under conditions. With [`changed`](ZAddOptions::changed) it gives how many are new or
    /// have another score.
    fn zadd_with<M: ToArg>(
        self,
        key: impl ToArg,
        options: ZAddOptions,
        members: impl IntoIterator<Item = (f64, M)>,
    ) -> Self::Out<u64> {
        self.execute(Command::write("ZADD").arg(key).options(options).scored(members))
    }

    /// Adds to a member's score under conditions, and gives the result; `None` when they are not met.
    /// [ZADD … INCR](https://redis.io/docs/latest/commands/zadd/), O(log n).
    fn zadd_incr(
        self,
        key: impl ToArg,
        options: ZAddOptions,
        increment: f64,
        member: impl ToArg,
    ) -> Self::Out<Option<f64>> {
        self.execute(Command::write("ZADD").arg(key).options(options).arg("INCR").scored([(increment, member)]))
    }

    /// How many members there are. [ZCARD](https://redis.io/docs/latest/commands/zcard/), O(1).
    fn zcard(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("ZCARD").arg(key))
    }

    /// How many members have such a score. [ZCOUNT](https://redis.io/docs/latest/commands/zcount/), O(log n).
    fn zcount(self, key: impl ToArg, scores: impl RangeBounds<f64>) -> Self::Out<u64> {
        self.execute(Command::read("ZCOUNT").arg(key).options(ScoreRange::of(&scores)))
    }

    /// The members of the first set that are in none of the others.
    /// [ZDIFF](https://redis.io/docs/latest/commands/zdiff/), O(n) in all members.
    fn zdiff<C: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<C> {
        self.execute(Command::read("ZDIFF").numbered("key", keys))
    }

    /// As [`zdiff`](Self::zdiff), with the scores.
    fn zdiff_withscores<M: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZDIFF").numbered("key", keys).arg("WITHSCORES"))
    }

    /// Stores what [`zdiff`](Self::zdiff) gives, and gives how many members that has.
    /// [ZDIFFSTORE](https://redis.io/docs/latest/commands/zdiffstore/), O(n) in all members.
    fn zdiffstore(self, destination: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("ZDIFFSTORE").arg(destination).numbered("key", keys))
    }

    /// Adds to a member's score, and gives the result. [ZINCRBY](https://redis.io/docs/latest/commands/zincrby/), O(log n).
    fn zincrby(self, key: impl ToArg, increment: f64, member: impl ToArg) -> Self::Out<f64> {
        self.execute(Command::write("ZINCRBY").arg(key).score("increment", increment).arg(member))
    }

    /// The members that are in all sets. [ZINTER](https://redis.io/docs/latest/commands/zinter/), O(n·m + k·log k) in the
    /// smallest set, the number of sets and the result.
    fn zinter<C: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<C> {
        self.execute(Command::read("ZINTER").numbered("key", keys).options(options))
    }

    /// As [`zinter`](Self::zinter), with the scores.
    fn zinter_withscores<M: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZINTER").numbered("key", keys).options(options).arg("WITHSCORES"))
    }

    /// How many members are in all sets, counted up to `limit`, if there is one.
    /// [ZINTERCARD](https://redis.io/docs/latest/commands/zintercard/), O(n·m) in the smallest set and the number of sets.
    fn zintercard(self, keys: impl IntoIterator<Item = impl ToArg>, limit: Option<u64>) -> Self::Out<u64> {
        self.execute(Command::read("ZINTERCARD").numbered("key", keys).limit(limit))
    }

    /// Stores what [`zinter`](Self::zinter) gives, and gives how many members that has.
    /// [ZINTERSTORE](https://redis.io/docs/latest/commands/zinterstore/), O(n·m + k·log k) in the smallest set, the number
    /// of sets and the result.
    fn zinterstore(
        self,
        destination: impl ToArg,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<u64> {
        self.execute(Command::write("ZINTERSTORE").arg(destination).numbered("key", keys).options(options))
    }

    /// How many members are in a range of names, all scores being equal.
    /// [ZLEXCOUNT](https://redis.io/docs/latest/commands/zlexcount/), O(log n).
    fn zlexcount(self, key: impl ToArg, names: LexRange) -> Self::Out<u64> {
        self.execute(Command::read("ZLEXCOUNT").arg(key).options(names))
    }

    /// Takes up to `count` members off the first set that has any, and gives them with its key.
    /// [ZMPOP](https://redis.io/docs/latest/commands/zmpop/), O(n + k·log m) in the keys and the count.
    fn zmpop<K: FromReply, M: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        end: ZEnd,
        count: u64,
    ) -> Self::Out<Option<Popped<K, Scored<M>>>> {
        self.execute(Command::write("ZMPOP").numbered("key", keys).arg(end.word()).arg("COUNT").at_least_one(count))
    }

    /// Each member's score, in order; `None` for those that are not there.
    /// [ZMSCORE](https://redis.io/docs/latest/commands/zmscore/), O(n) in the members asked for.
    fn zmscore(self, key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<Option<f64>>> {
        self.execute(Command::read("ZMSCORE").arg(key).one_or_more("member", members))
    }

    /// Takes up to `count` members of the highest scores, the highest first.
    /// [ZPOPMAX](https://redis.io/docs/latest/commands/zpopmax/), O(k·log n) in the count.
    fn zpopmax<M: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::write("ZPOPMAX").arg(key).arg(count))
    }

    /// Takes up to `count` members of the lowest scores, the lowest first.
    /// [ZPOPMIN](https://redis.io/docs/latest/commands/zpopmin/), O(k·log n) in the count.
    fn zpopmin<M: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::write("ZPOPMIN").arg(key).arg(count))
    }

    /// Some member. [ZRANDMEMBER](https://redis.io/docs/latest/commands/zrandmember/), O(1).
    fn zrandmember<M: FromReply>(self, key: impl ToArg) -> Self::Out<Option<M>> {
        self.execute(Command::read("ZRANDMEMBER").arg(key))
    }

    /// Up to `count` different members; with a negative count exactly as many, possibly repeated.
    /// [ZRANDMEMBER](https://redis.io/docs/latest/commands/zrandmember/), O(n) in the count.
    fn zrandmember_count<M: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<M>> {
        self.execute(Command::read("ZRANDMEMBER").arg(key).arg(count))
    }

    /// As [`zrandmember_count`](Self::zrandmember_count), with the scores.
    fn zrandmember_withscores<M: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZRANDMEMBER").arg(key).arg(count).arg("WITHSCORES"))
    }

    /// The members of a range. [ZRANGE](https://redis.io/docs/latest/commands/zrange/), O(log n + k) in the result.
    fn zrange<C: FromReply>(self, key: impl ToArg, range: ZRange) -> Self::Out<C> {
        self.execute(Command::read("ZRANGE").arg(key).options(range))
    }

    /// As [`zrange`](Self::zrange), with the scores. Not for ranges of names, whose scores are all equal.
    fn zrange_withscores<M: FromReply>(self, key: impl ToArg, range: ZRange) -> Self::Out<Vec<Scored<M>>> {
        let command = Command::read("ZRANGE").arg(key);
        let command = match range.by {
            By::Lex(_) => {
                command.reject("scores do not go with a range of names, since they are all equal; use zrange")
            }
            By::Rank(..) | By::Score(_) => command,
        };
        self.execute(command.options(range).arg("WITHSCORES"))
    }

    /// The members of a range of names. Deprecated in Redis in favour of [`zrange`](Self::zrange).
    /// [ZRANGEBYLEX](https://redis.io/docs/latest/commands/zrangebylex/), O(log n + k) in the result.
    fn zrangebylex<C: FromReply>(self, key: impl ToArg, names: LexRange, limit: Option<(u64, i64)>) -> Self::Out<C> {
        self.execute(Command::read("ZRANGEBYLEX").arg(key).options(names).page(limit))
    }

    /// The members of a range of scores. Deprecated in Redis in favour of [`zrange`](Self::zrange).
    /// [ZRANGEBYSCORE](https://redis.io/docs/latest/commands/zrangebyscore/), O(log n + k) in the result.
    fn zrangebyscore<C: FromReply>(
        self,
        key: impl ToArg,
        scores: impl RangeBounds<f64>,
        limit: Option<(u64, i64)>,
    ) -> Self::Out<C> {
        self.execute(Command::read("ZRANGEBYSCORE").arg(key).options(ScoreRange::of(&scores)).page(limit))
    }

    /// As [`zrangebyscore`](Self::zrangebyscore), with the scores.
    fn zrangebyscore_withscores<M: FromReply>(
        self,
        key: impl ToArg,
        scores: impl RangeBounds<f64>,
        limit: Option<(u64, i64)>,
    ) -> Self::Out<Vec<Scored<M>>> {
        let command = Command::read("ZRANGEBYSCORE").arg(key).options(ScoreRange::of(&scores));
        self.execute(command.arg("WITHSCORES").page(limit))
    }

    /// Stores the members of a range, and gives how many there are.
    /// [ZRANGESTORE](https://redis.io/docs/latest/commands/zrangestore/), O(log n + k) in the result.
    fn zrangestore(self, destination: impl ToArg, source: impl ToArg, range: ZRange) -> Self::Out<u64> {
        self.execute(Command::write("ZRANGESTORE").arg(destination).arg(source).options(range))
    }

    /// How many members have a lower score. [ZRANK](https://redis.io/docs/latest/commands/zrank/), O(log n).
    fn zrank(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<u64>> {
        self.execute(Command::read("ZRANK").arg(key).arg(member))
    }

    /// As [`zrank`](Self::zrank), with the score. Redis 7.2 and later.
    fn zrank_withscore(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<(u64, f64)>> {
        self.execute(Command::read("ZRANK").arg(key).arg(member).arg("WITHSCORE"))
    }

    /// Removes members, and gives how many there were. [ZREM](https://redis.io/docs/latest/commands/zrem/), O(k·log n) in
    /// the members removed.
    fn zrem(self, key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("ZREM").arg(key).one_or_more("member", members))
    }

    /// Removes the members of a range of names, and gives how many there were.
    /// [ZREMRANGEBYLEX](https://redis.io/docs/latest/commands/zremrangebylex/), O(log n + k) in what is removed.
    fn zremrangebylex(self, key: impl ToArg, names: LexRange) -> Self::Out<u64> {
        self.execute(Command::write("ZREMRANGEBYLEX").arg(key).options(names))
    }

    /// Removes the members from rank `start` to `stop`, both included, and gives how many there were.
    /// [ZREMRANGEBYRANK](https://redis.io/docs/latest/commands/zremrangebyrank/), O(log n + k) in what is removed.
    fn zremrangebyrank(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<u64> {
        self.execute(Command::write("ZREMRANGEBYRANK").arg(key).arg(start).arg(stop))
    }

    /// Removes the members that have such a score, and gives how many there were.
    /// [ZREMRANGEBYSCORE](https://redis.io/docs/latest/commands/zremrangebyscore/), O(log n + k) in what is removed.
    fn zremrangebyscore(self, key: impl ToArg, scores: impl RangeBounds<f64>) -> Self::Out<u64> {
        self.execute(Command::write("ZREMRANGEBYSCORE").arg(key).options(ScoreRange::of(&scores)))
    }

    /// The members from rank `start` to `stop`, counted from the highest score. Deprecated in Redis in favour of
    /// [`zrange`](Self::zrange). [ZREVRANGE](https://redis.io/docs/latest/commands/zrevrange/), O(log n + k) in the result.
    fn zrevrange<C: FromReply>(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<C> {
        self.execute(Command::read("ZREVRANGE").arg(key).arg(start).arg(stop))
    }

    /// As [`zrevrange`](Self::zrevrange), with the scores.
    fn zrevrange_withscores<M: FromReply>(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZREVRANGE").arg(key).arg(start).arg(stop).arg("WITHSCORES"))
    }

    /// The members of a range of names, the last first. Deprecated in Redis in favour of [`zrange`](Self::zrange).
    /// [ZREVRANGEBYLEX](https://redis.io/docs/latest/commands/zrevrangebylex/), O(log n + k) in the result.
    fn zrevrangebylex<C: FromReply>(self, key: impl ToArg, names: LexRange, limit: Option<(u64, i64)>) -> Self::Out<C> {
        self.execute(Command::read("ZREVRANGEBYLEX").arg(key).options(Reversed(&names)).page(limit))
    }

    /// The members of a range of scores, the highest first. Deprecated in Redis in favour of [`zrange`](Self::zrange).
    /// [ZREVRANGEBYSCORE](https://redis.io/docs/latest/commands/zrevrangebyscore/), O(log n + k) in the result.
    fn zrevrangebyscore<C: FromReply>(
        self,
        key: impl ToArg,
        scores: impl RangeBounds<f64>,
        limit: Option<(u64, i64)>,
    ) -> Self::Out<C> {
        let command = Command::read("ZREVRANGEBYSCORE").arg(key);
        self.execute(command.options(Reversed(&ScoreRange::of(&scores))).page(limit))
    }

    /// As [`zrevrangebyscore`](Self::zrevrangebyscore), with the scores.
    fn zrevrangebyscore_withscores<M: FromReply>(
        self,
        key: impl ToArg,
        scores: impl RangeBounds<f64>,
        limit: Option<(u64, i64)>,
    ) -> Self::Out<Vec<Scored<M>>> {
        let command = Command::read("ZREVRANGEBYSCORE").arg(key);
        self.execute(command.options(Reversed(&ScoreRange::of(&scores))).arg("WITHSCORES").page(limit))
    }

    /// How many members have a higher score. [ZREVRANK](https://redis.io/docs/latest/commands/zrevrank/), O(log n).
    fn zrevrank(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<u64>> {
        self.execute(Command::read("ZREVRANK").arg(key).arg(member))
    }

    /// As [`zrevrank`](Self::zrevrank), with the score. Redis 7.2 and later.
    fn zrevrank_withscore(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<(u64, f64)>> {
        self.execute(Command::read("ZREVRANK").arg(key).arg(member).arg("WITHSCORE"))
    }

    /// One page of the members and scores. [ZSCAN](https://redis.io/docs/latest/commands/zscan/), O(1) a page.
    fn zscan<M: FromReply>(
        self,
        key: impl ToArg,
        cursor: Cursor,
        options: ScanOptions,
    ) -> Self::Out<ScanPage<Scored<M>>> {
        self.execute(Command::read("ZSCAN").arg(key).arg(cursor).options(WithinKey(options)))
    }

    /// A member's score. [ZSCORE](https://redis.io/docs/latest/commands/zscore/), O(1).
    fn zscore(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<f64>> {
        self.execute(Command::read("ZSCORE").arg(key).arg(member))
    }

    /// The members that are in any of the sets. [ZUNION](https://redis.io/docs/latest/commands/zunion/), O(n + k·log k) in
    /// all members and the result.
    fn zunion<C: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<C> {
        self.execute(Command::read("ZUNION").numbered("key", keys).options(options))
    }

    /// As [`zunion`](Self::zunion), with the scores.
    fn zunion_withscores<M: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZUNION").numbered("key", keys).options(options).arg("WITHSCORES"))
    }

    /// Stores what [`zunion`](Self::zunion) gives, and gives how many members that has.
    /// [ZUNIONSTORE](https://redis.io/docs/latest/commands/zunionstore/), O(n + k·log k) in all members and the result.
    fn zunionstore(
        self,
        destination: impl ToArg,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<u64> {
        self.execute(Command::write("ZUNIONSTORE").arg(destination).numbered("key", keys).options(options))
    }
}

impl<E: Executor> SortedSetCommands for E {}

impl<R> Command<R> {
    /// Adds a score, which may be infinite, but is a number.
    fn score(self, what: &str, score: f64) -> Self {
        if score.is_nan() { self.reject(format!("the {what} is not a number")) } else { self.arg(score) }
    }

    fn scored<M: ToArg>(self, members: impl IntoIterator<Item = (f64, M)>) -> Self {
        let mut members = members.into_iter().peekable();
        if members.peek().is_none() {
            return self.reject("needs at least one score and member");
        }
        members.fold(self, |command, (score, member)| command.score("score", score).arg(member))
    }

    fn page(self, limit: Option<(u64, i64)>) -> Self {
        match limit {
            Some((offset, count)) => self.arg("LIMIT").arg(offset).arg(count),
            None => self,
        }
    }
}
