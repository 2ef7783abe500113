//! Sorted sets: members ordered by score, and members of equal score lexicographically.

mod options;

use std::ops::RangeBounds;

pub(super) use self::options::{AddOptions, Existence};
use self::options::{By, Reversed, ScoreRange};
pub use self::options::{LexRange, Scored, ZAddOptions, ZCombineOptions, ZEnd, ZRange};
use super::hash::WithinKey;
use super::list::Popped;
use super::scan::{Cursor, ScanOptions, ScanPage};
use crate::arg::ToArg;
use crate::command::{Command, OneOrMore, OneOrMorePairs};
use crate::executor::Executor;
use crate::reply::FromReply;

/// Commands on sorted sets.
///
/// Score ranges are Rust ranges: `1.0..2.0` excludes its end, `..=5.0` includes it, and `..` is all scores. The
/// methods for commands that Redis deprecates in favour of [`zrange`](Self::zrange) are here too.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::SortedSetCommands;
/// use redis_rest::commands::sorted_set::ZRange;
///
/// redis.zadd("board", [(5.0, "ada"), (9.0, "grace"), (2.0, "alan")]).await?;
/// assert_eq!(redis.zincrby("board", 3.0, "ada").await?, 8.0);
///
/// let best: Vec<String> = redis.zrange("board", ZRange::score(5.0..).rev().limit(0, 10)).await?;
/// assert_eq!(best, ["grace", "ada"]);
/// assert_eq!(redis.zrank("board", "alan").await?, Some(0));
/// assert_eq!(redis.zscore("board", "edsger").await?, None);
///
/// // A score that is NaN is `InvalidInput`, before anything is sent.
/// assert!(redis.zadd("board", [(f64::NAN, "ada")]).await.unwrap_err().is_invalid_input());
/// # Ok(())
/// # }
/// ```
pub trait SortedSetCommands: Executor {
    /// Adds members or changes their scores, and returns the number of new members. As in Redis, the score comes first:
    /// `redis.zadd("board", [(10.0, "ada")])`.
    ///
    /// [ZADD](https://redis.io/docs/latest/commands/zadd/), O(log n) per member.
    fn zadd<K>(self, key: impl ToArg, members: impl OneOrMorePairs<K, First = f64, Second: ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("ZADD").key(key).scored(members))
    }

    /// As [`zadd`](Self::zadd), with options. See [`ZAddOptions`] for an example.
    /// [ZADD](https://redis.io/docs/latest/commands/zadd/), O(log n) per member.
    fn zadd_with<K>(
        self,
        key: impl ToArg,
        members: impl OneOrMorePairs<K, First = f64, Second: ToArg>,
        options: ZAddOptions,
    ) -> Self::Out<u64> {
        self.execute(Command::write("ZADD").key(key).options(options).scored(members))
    }

    /// Adds to a member's score and returns the new score, or `None` if a condition of the options does not hold.
    /// [ZADD … INCR](https://redis.io/docs/latest/commands/zadd/), O(log n).
    fn zadd_incr(
        self,
        key: impl ToArg,
        increment: f64,
        member: impl ToArg,
        options: ZAddOptions,
    ) -> Self::Out<Option<f64>> {
        self.execute(Command::write("ZADD").key(key).options(options).arg("INCR").scored([(increment, member)]))
    }

    /// Returns the number of members. [ZCARD](https://redis.io/docs/latest/commands/zcard/), O(1).
    fn zcard(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("ZCARD").key(key))
    }

    /// Returns the number of members whose score is in the range.
    /// [ZCOUNT](https://redis.io/docs/latest/commands/zcount/), O(log n).
    fn zcount(self, key: impl ToArg, scores: impl RangeBounds<f64>) -> Self::Out<u64> {
        self.execute(Command::read("ZCOUNT").key(key).options(ScoreRange::of(&scores)))
    }

    /// Returns the members of the first set that are in none of the others.
    /// [ZDIFF](https://redis.io/docs/latest/commands/zdiff/), O(n) in all members.
    fn zdiff<C: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<C> {
        self.execute(Command::read("ZDIFF").numbered_keys(keys))
    }

    /// As [`zdiff`](Self::zdiff), with the scores.
    fn zdiff_withscores<M: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZDIFF").numbered_keys(keys).arg("WITHSCORES"))
    }

    /// Stores the result of [`zdiff`](Self::zdiff) and returns its number of members.
    /// [ZDIFFSTORE](https://redis.io/docs/latest/commands/zdiffstore/), O(n) in all members.
    fn zdiffstore<K>(self, destination: impl ToArg, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("ZDIFFSTORE").key(destination).numbered_keys(keys))
    }

    /// Adds to a member's score and returns the new score. [ZINCRBY](https://redis.io/docs/latest/commands/zincrby/),
    /// O(log n).
    fn zincrby(self, key: impl ToArg, increment: f64, member: impl ToArg) -> Self::Out<f64> {
        self.execute(Command::write("ZINCRBY").key(key).score("increment", increment).arg(member))
    }

    /// Returns the members that are in all sets. [ZINTER](https://redis.io/docs/latest/commands/zinter/),
    /// O(n·m + k·log k) for n members of the smallest set, m sets and k members of the result.
    fn zinter<C: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<C> {
        self.execute(Command::read("ZINTER").numbered_keys(keys).options(options))
    }

    /// As [`zinter`](Self::zinter), with the combined scores.
    fn zinter_withscores<M: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZINTER").numbered_keys(keys).options(options).arg("WITHSCORES"))
    }

    /// Returns the number of members that are in all sets. With a `limit`, counting stops there.
    /// [ZINTERCARD](https://redis.io/docs/latest/commands/zintercard/), O(n·m) for n members of the smallest set and m
    /// sets.
    fn zintercard<K>(self, keys: impl OneOrMore<K>, limit: Option<u64>) -> Self::Out<u64> {
        self.execute(Command::read("ZINTERCARD").numbered_keys(keys).limit(limit))
    }

    /// Stores the result of [`zinter`](Self::zinter) and returns its number of members.
    /// [ZINTERSTORE](https://redis.io/docs/latest/commands/zinterstore/), the complexity of `zinter`.
    fn zinterstore<K>(
        self,
        destination: impl ToArg,
        keys: impl OneOrMore<K>,
        options: ZCombineOptions,
    ) -> Self::Out<u64> {
        self.execute(Command::write("ZINTERSTORE").key(destination).numbered_keys(keys).options(options))
    }

    /// Returns the number of members in a lexicographical range, if all scores are equal.
    /// [ZLEXCOUNT](https://redis.io/docs/latest/commands/zlexcount/), O(log n).
    fn zlexcount(self, key: impl ToArg, range: LexRange) -> Self::Out<u64> {
        self.execute(Command::read("ZLEXCOUNT").key(key).options(range))
    }

    /// Removes up to `count` members from the first set that is not empty, and returns them with the set's key.
    /// [ZMPOP](https://redis.io/docs/latest/commands/zmpop/), O(n + k·log m) for n keys, k removed members and m
    /// members of the set.
    fn zmpop<K: FromReply, M: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        end: ZEnd,
        count: u64,
    ) -> Self::Out<Option<Popped<K, Scored<M>>>> {
        self.execute(Command::write("ZMPOP").numbered_keys(keys).arg(end.word()).arg("COUNT").at_least_one(count))
    }

    /// Returns the score of each member, in order, with `None` for a member that does not exist.
    /// [ZMSCORE](https://redis.io/docs/latest/commands/zmscore/), O(n) in the members asked for.
    fn zmscore<K>(self, key: impl ToArg, members: impl OneOrMore<K>) -> Self::Out<Vec<Option<f64>>> {
        self.execute(Command::read("ZMSCORE").key(key).one_or_more("member", members))
    }

    /// Removes up to `count` members with the highest scores, and returns them from the highest down.
    /// [ZPOPMAX](https://redis.io/docs/latest/commands/zpopmax/), O(k·log n) for a count of k.
    fn zpopmax<M: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::write("ZPOPMAX").key(key).arg(count))
    }

    /// Removes up to `count` members with the lowest scores, and returns them from the lowest up.
    /// [ZPOPMIN](https://redis.io/docs/latest/commands/zpopmin/), O(k·log n) for a count of k.
    fn zpopmin<M: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::write("ZPOPMIN").key(key).arg(count))
    }

    /// Returns a random member, or `None` if the key does not exist.
    /// [ZRANDMEMBER](https://redis.io/docs/latest/commands/zrandmember/), O(1).
    fn zrandmember<M: FromReply>(self, key: impl ToArg) -> Self::Out<Option<M>> {
        self.execute(Command::read("ZRANDMEMBER").key(key))
    }

    /// Returns up to `count` different random members. A negative count returns exactly that many, possibly repeated.
    /// [ZRANDMEMBER](https://redis.io/docs/latest/commands/zrandmember/), O(n) in the count.
    fn zrandmember_count<M: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<M>> {
        self.execute(Command::read("ZRANDMEMBER").key(key).arg(count))
    }

    /// As [`zrandmember_count`](Self::zrandmember_count), with the scores.
    fn zrandmember_withscores<M: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZRANDMEMBER").key(key).arg(count).arg("WITHSCORES"))
    }

    /// Returns the members of a range. See [`ZRange`] for an example.
    /// [ZRANGE](https://redis.io/docs/latest/commands/zrange/), O(log n + k) for k members.
    fn zrange<C: FromReply>(self, key: impl ToArg, range: ZRange) -> Self::Out<C> {
        self.execute(Command::read("ZRANGE").key(key).options(range))
    }

    /// As [`zrange`](Self::zrange), with the scores. `InvalidInput` if the range is lexicographical: its scores are
    /// all equal.
    fn zrange_withscores<M: FromReply>(self, key: impl ToArg, range: ZRange) -> Self::Out<Vec<Scored<M>>> {
        let command = Command::read("ZRANGE").key(key);
        let command = match range.by {
            By::Lex(_) => {
                command.reject("a lexicographical range has no scores, because they are all equal; use `zrange`")
            }
            By::Rank(..) | By::Score(_) => command,
        };
        self.execute(command.options(range).arg("WITHSCORES"))
    }

    /// Returns the members of a lexicographical range. `limit` is an offset and a count. Redis deprecates this command
    /// in favour of [`zrange`](Self::zrange). [ZRANGEBYLEX](https://redis.io/docs/latest/commands/zrangebylex/),
    /// O(log n + k) for a result of k members.
    fn zrangebylex<C: FromReply>(self, key: impl ToArg, range: LexRange, limit: Option<(u64, i64)>) -> Self::Out<C> {
        self.execute(Command::read("ZRANGEBYLEX").key(key).options(range).page(limit))
    }

    /// Returns the members of a score range. `limit` is an offset and a count. Redis deprecates this command in favour
    /// of [`zrange`](Self::zrange). [ZRANGEBYSCORE](https://redis.io/docs/latest/commands/zrangebyscore/),
    /// O(log n + k) for a result of k members.
    fn zrangebyscore<C: FromReply>(
        self,
        key: impl ToArg,
        scores: impl RangeBounds<f64>,
        limit: Option<(u64, i64)>,
    ) -> Self::Out<C> {
        self.execute(Command::read("ZRANGEBYSCORE").key(key).options(ScoreRange::of(&scores)).page(limit))
    }

    /// As [`zrangebyscore`](Self::zrangebyscore), with the scores.
    fn zrangebyscore_withscores<M: FromReply>(
        self,
        key: impl ToArg,
        scores: impl RangeBounds<f64>,
        limit: Option<(u64, i64)>,
    ) -> Self::Out<Vec<Scored<M>>> {
        let command = Command::read("ZRANGEBYSCORE").key(key).options(ScoreRange::of(&scores));
        self.execute(command.arg("WITHSCORES").page(limit))
    }

    /// Stores the members of a range and returns their number.
    /// [ZRANGESTORE](https://redis.io/docs/latest/commands/zrangestore/), O(log n + k) for k members.
    fn zrangestore(self, destination: impl ToArg, source: impl ToArg, range: ZRange) -> Self::Out<u64> {
        self.execute(Command::write("ZRANGESTORE").key(destination).key(source).options(range))
    }

    /// Returns the number of members with a lower score, or `None` if the member does not exist.
    /// [ZRANK](https://redis.io/docs/latest/commands/zrank/), O(log n).
    fn zrank(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<u64>> {
        self.execute(Command::read("ZRANK").key(key).arg(member))
    }

    /// As [`zrank`](Self::zrank), with the score. Needs Redis 7.2.
    fn zrank_withscore(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<(u64, f64)>> {
        self.execute(Command::read("ZRANK").key(key).arg(member).arg("WITHSCORE"))
    }

    /// Removes members and returns how many existed. [ZREM](https://redis.io/docs/latest/commands/zrem/), O(log n) per
    /// member.
    fn zrem<K>(self, key: impl ToArg, members: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("ZREM").key(key).one_or_more("member", members))
    }

    /// Removes the members of a lexicographical range and returns their number.
    /// [ZREMRANGEBYLEX](https://redis.io/docs/latest/commands/zremrangebylex/), O(log n + k) for k removed members.
    fn zremrangebylex(self, key: impl ToArg, range: LexRange) -> Self::Out<u64> {
        self.execute(Command::write("ZREMRANGEBYLEX").key(key).options(range))
    }

    /// Removes the members from rank `start` to `stop`, both included, and returns their number.
    /// [ZREMRANGEBYRANK](https://redis.io/docs/latest/commands/zremrangebyrank/), O(log n + k) for k removed members.
    fn zremrangebyrank(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<u64> {
        self.execute(Command::write("ZREMRANGEBYRANK").key(key).arg(start).arg(stop))
    }

    /// Removes the members whose score is in the range, and returns their number.
    /// [ZREMRANGEBYSCORE](https://redis.io/docs/latest/commands/zremrangebyscore/), O(log n + k) for k removed
    /// members.
    fn zremrangebyscore(self, key: impl ToArg, scores: impl RangeBounds<f64>) -> Self::Out<u64> {
        self.execute(Command::write("ZREMRANGEBYSCORE").key(key).options(ScoreRange::of(&scores)))
    }

    /// Returns the members from rank `start` to `stop`, counted from the highest score. Redis deprecates this command
    /// in favour of [`zrange`](Self::zrange). [ZREVRANGE](https://redis.io/docs/latest/commands/zrevrange/),
    /// O(log n + k) for a result of k members.
    fn zrevrange<C: FromReply>(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<C> {
        self.execute(Command::read("ZREVRANGE").key(key).arg(start).arg(stop))
    }

    /// As [`zrevrange`](Self::zrevrange), with the scores.
    fn zrevrange_withscores<M: FromReply>(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZREVRANGE").key(key).arg(start).arg(stop).arg("WITHSCORES"))
    }

    /// Returns the members of a lexicographical range, last first. Redis deprecates this command in favour of
    /// [`zrange`](Self::zrange). [ZREVRANGEBYLEX](https://redis.io/docs/latest/commands/zrevrangebylex/), O(log n + k)
    /// for a result of k members.
    fn zrevrangebylex<C: FromReply>(self, key: impl ToArg, range: LexRange, limit: Option<(u64, i64)>) -> Self::Out<C> {
        self.execute(Command::read("ZREVRANGEBYLEX").key(key).options(Reversed(&range)).page(limit))
    }

    /// Returns the members of a score range, highest first. Redis deprecates this command in favour of
    /// [`zrange`](Self::zrange). [ZREVRANGEBYSCORE](https://redis.io/docs/latest/commands/zrevrangebyscore/),
    /// O(log n + k) for a result of k members.
    fn zrevrangebyscore<C: FromReply>(
        self,
        key: impl ToArg,
        scores: impl RangeBounds<f64>,
        limit: Option<(u64, i64)>,
    ) -> Self::Out<C> {
        let command = Command::read("ZREVRANGEBYSCORE").key(key);
        self.execute(command.options(Reversed(&ScoreRange::of(&scores))).page(limit))
    }

    /// As [`zrevrangebyscore`](Self::zrevrangebyscore), with the scores.
    fn zrevrangebyscore_withscores<M: FromReply>(
        self,
        key: impl ToArg,
        scores: impl RangeBounds<f64>,
        limit: Option<(u64, i64)>,
    ) -> Self::Out<Vec<Scored<M>>> {
        let command = Command::read("ZREVRANGEBYSCORE").key(key);
        self.execute(command.options(Reversed(&ScoreRange::of(&scores))).arg("WITHSCORES").page(limit))
    }

    /// Returns the number of members with a higher score, or `None` if the member does not exist.
    /// [ZREVRANK](https://redis.io/docs/latest/commands/zrevrank/), O(log n).
    fn zrevrank(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<u64>> {
        self.execute(Command::read("ZREVRANK").key(key).arg(member))
    }

    /// As [`zrevrank`](Self::zrevrank), with the score. Needs Redis 7.2.
    fn zrevrank_withscore(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<(u64, f64)>> {
        self.execute(Command::read("ZREVRANK").key(key).arg(member).arg("WITHSCORE"))
    }

    /// Returns one page of the members and their scores. [ZSCAN](https://redis.io/docs/latest/commands/zscan/), O(1)
    /// per page.
    fn zscan<M: FromReply>(
        self,
        key: impl ToArg,
        cursor: Cursor,
        options: ScanOptions,
    ) -> Self::Out<ScanPage<Scored<M>>> {
        self.execute(Command::read("ZSCAN").key(key).arg(cursor).options(WithinKey(options)))
    }

    /// Returns a member's score, or `None` if the member does not exist.
    /// [ZSCORE](https://redis.io/docs/latest/commands/zscore/), O(1).
    fn zscore(self, key: impl ToArg, member: impl ToArg) -> Self::Out<Option<f64>> {
        self.execute(Command::read("ZSCORE").key(key).arg(member))
    }

    /// Returns the members that are in any of the sets. [ZUNION](https://redis.io/docs/latest/commands/zunion/),
    /// O(n + k·log k) for n members of all sets and k members of the result.
    fn zunion<C: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<C> {
        self.execute(Command::read("ZUNION").numbered_keys(keys).options(options))
    }

    /// As [`zunion`](Self::zunion), with the combined scores.
    fn zunion_withscores<M: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        options: ZCombineOptions,
    ) -> Self::Out<Vec<Scored<M>>> {
        self.execute(Command::read("ZUNION").numbered_keys(keys).options(options).arg("WITHSCORES"))
    }

    /// Stores the result of [`zunion`](Self::zunion) and returns its number of members.
    /// [ZUNIONSTORE](https://redis.io/docs/latest/commands/zunionstore/), O(n + k·log k) for n members of all sets and
    /// k members of the result.
    fn zunionstore<K>(
        self,
        destination: impl ToArg,
        keys: impl OneOrMore<K>,
        options: ZCombineOptions,
    ) -> Self::Out<u64> {
        self.execute(Command::write("ZUNIONSTORE").key(destination).numbered_keys(keys).options(options))
    }
}

impl<E: Executor> SortedSetCommands for E {}

impl<R> Command<R> {
    /// Adds a score, which may be infinite but not NaN.
    fn score(self, what: &str, score: f64) -> Self {
        if score.is_nan() { self.reject(format!("the {what} is NaN")) } else { self.arg(score) }
    }

    fn scored<K>(self, members: impl OneOrMorePairs<K, First = f64, Second: ToArg>) -> Self {
        let mut members = members.items().peekable();
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
