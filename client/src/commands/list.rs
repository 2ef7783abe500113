//! Lists: sequences of elements with two ends.

use crate::arg::ToArg;
use crate::command::{Args, Command, OneOrMore, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on lists.
///
/// The commands that block (`BLPOP`, `BLMOVE` and so on) do not work over REST: poll, or wait for a message on a
/// channel.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ListCommands;
/// use redis_rest::commands::list::ListSide;
///
/// assert_eq!(redis.rpush("jobs", ["a", "b", "c"]).await?, 3);
/// let job: Option<String> = redis.lmove("jobs", "running", ListSide::Left, ListSide::Right).await?;
/// assert_eq!(job.as_deref(), Some("a"));
/// let waiting: Vec<String> = redis.lrange("jobs", 0, -1).await?;
/// assert_eq!(waiting, ["b", "c"]);
/// assert_eq!(redis.lpop::<String>("nothing").await?, None);
///
/// let error = redis.lset("jobs", 9, "d").await.unwrap_err();
/// assert_eq!(error.code(), Some("ERR")); // index out of range
/// # Ok(())
/// # }
/// ```
pub trait ListCommands: Executor {
    /// Returns the element at `index`, or `None` if there is none. Negative indexes count from the end.
    ///
    /// [LINDEX](https://redis.io/docs/latest/commands/lindex/), O(n) in the index.
    fn lindex<V: FromReply>(self, key: impl ToArg, index: i64) -> Self::Out<Option<V>> {
        self.execute(Command::read("LINDEX").key(key).arg(index))
    }

    /// Inserts an element before or after `pivot`, and returns the outcome.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::ListCommands;
    /// use redis_rest::commands::list::{Inserted, ListPlace};
    ///
    /// redis.rpush("letters", ["a", "c"]).await?;
    /// assert_eq!(redis.linsert("letters", ListPlace::Before, "c", "b").await?, Inserted::Length(3));
    /// assert_eq!(redis.linsert("letters", ListPlace::Before, "z", "y").await?, Inserted::NoPivot);
    /// assert_eq!(redis.linsert("numbers", ListPlace::Before, "2", "1").await?, Inserted::NoList);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [LINSERT](https://redis.io/docs/latest/commands/linsert/), O(n) in the elements before the pivot.
    fn linsert(self, key: impl ToArg, place: ListPlace, pivot: impl ToArg, element: impl ToArg) -> Self::Out<Inserted> {
        self.execute(Command::write("LINSERT").key(key).arg(place.word()).arg(pivot).arg(element))
    }

    /// Returns the number of elements.
    ///
    /// [LLEN](https://redis.io/docs/latest/commands/llen/), O(1).
    fn llen(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("LLEN").key(key))
    }

    /// Moves an element from one end of a list to one end of another, and returns it, or `None` if `source` does not
    /// exist.
    ///
    /// [LMOVE](https://redis.io/docs/latest/commands/lmove/), O(1).
    fn lmove<V: FromReply>(
        self,
        source: impl ToArg,
        destination: impl ToArg,
        from: ListSide,
        to: ListSide,
    ) -> Self::Out<Option<V>> {
        self.execute(Command::write("LMOVE").key(source).key(destination).arg(from.word()).arg(to.word()))
    }

    /// Removes up to `count` elements from the first list that is not empty, and returns them with the list's key.
    ///
    /// Returns `None` if all lists are empty.
    ///
    /// [LMPOP](https://redis.io/docs/latest/commands/lmpop/), O(n) in the keys and the count.
    fn lmpop<K: FromReply, V: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        side: ListSide,
        count: u64,
    ) -> Self::Out<Option<Popped<K, V>>> {
        self.execute(Command::write("LMPOP").numbered_keys(keys).arg(side.word()).arg("COUNT").at_least_one(count))
    }

    /// Removes and returns the first element, or returns `None` if the key does not exist.
    ///
    /// [LPOP](https://redis.io/docs/latest/commands/lpop/), O(1).
    fn lpop<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("LPOP").key(key))
    }

    /// Removes and returns up to `count` elements from the start.
    ///
    /// [LPOP](https://redis.io/docs/latest/commands/lpop/), O(n) in the count.
    fn lpop_count<V: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<V>> {
        self.submit(Command::write("LPOP").key(key).arg(count).decode_with(or_empty))
    }

    /// Returns the index of the first element that equals `element`, or `None` if there is none.
    ///
    /// [`LposOptions`] shows an example.
    ///
    /// [LPOS](https://redis.io/docs/latest/commands/lpos/), O(n).
    fn lpos(self, key: impl ToArg, element: impl ToArg, options: LposOptions) -> Self::Out<Option<u64>> {
        self.execute(Command::read("LPOS").key(key).arg(element).options(options))
    }

    /// Returns the indexes of up to `count` elements that equal `element`. A count of 0 means all of them.
    ///
    /// [LPOS](https://redis.io/docs/latest/commands/lpos/), O(n).
    fn lpos_count(self, key: impl ToArg, element: impl ToArg, count: u64, options: LposOptions) -> Self::Out<Vec<u64>> {
        self.execute(Command::read("LPOS").key(key).arg(element).options(options).arg("COUNT").arg(count))
    }

    /// Adds elements before the first one, one after the other, and returns the new length.
    ///
    /// [LPUSH](https://redis.io/docs/latest/commands/lpush/), O(n) in the elements.
    fn lpush<K>(self, key: impl ToArg, elements: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("LPUSH").key(key).one_or_more("element", elements))
    }

    /// Adds elements before the first one if the list exists, and returns the new length.
    ///
    /// [LPUSHX](https://redis.io/docs/latest/commands/lpushx/), O(n) in the elements.
    fn lpushx<K>(self, key: impl ToArg, elements: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("LPUSHX").key(key).one_or_more("element", elements))
    }

    /// Returns the elements from `start` to `stop`, both included. Negative indexes count from the end.
    ///
    /// [LRANGE](https://redis.io/docs/latest/commands/lrange/), O(n).
    fn lrange<V: FromReply>(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<Vec<V>> {
        self.execute(Command::read("LRANGE").key(key).arg(start).arg(stop))
    }

    /// Removes elements that equal `element`, and returns how many were removed.
    ///
    /// A positive count removes the first `count` of them, a negative count the last ones, and 0 removes all.
    ///
    /// [LREM](https://redis.io/docs/latest/commands/lrem/), O(n).
    fn lrem(self, key: impl ToArg, count: i64, element: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::write("LREM").key(key).arg(count).arg(element))
    }

    /// Replaces the element at `index`. Redis replies with an error if there is none.
    ///
    /// [LSET](https://redis.io/docs/latest/commands/lset/), O(n) in the index.
    fn lset(self, key: impl ToArg, index: i64, element: impl ToArg) -> Self::Out<()> {
        self.execute(Command::idempotent_write("LSET").key(key).arg(index).arg(element))
    }

    /// Keeps the elements from `start` to `stop`, both included, and removes the others.
    ///
    /// [LTRIM](https://redis.io/docs/latest/commands/ltrim/), O(n) in the elements removed.
    fn ltrim(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<()> {
        self.execute(Command::write("LTRIM").key(key).arg(start).arg(stop))
    }

    /// Removes and returns the last element, or returns `None` if the key does not exist.
    ///
    /// [RPOP](https://redis.io/docs/latest/commands/rpop/), O(1).
    fn rpop<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("RPOP").key(key))
    }

    /// Removes and returns up to `count` elements from the end, the last one first.
    ///
    /// [RPOP](https://redis.io/docs/latest/commands/rpop/), O(n) in the count.
    fn rpop_count<V: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<V>> {
        self.submit(Command::write("RPOP").key(key).arg(count).decode_with(or_empty))
    }

    /// Moves the last element of a list to the start of another, and returns it. Deprecated in Redis in favour of
    /// [`lmove`](Self::lmove).
    ///
    /// [RPOPLPUSH](https://redis.io/docs/latest/commands/rpoplpush/), O(1).
    fn rpoplpush<V: FromReply>(self, source: impl ToArg, destination: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("RPOPLPUSH").key(source).key(destination))
    }

    /// Adds elements after the last one, and returns the new length.
    ///
    /// [RPUSH](https://redis.io/docs/latest/commands/rpush/), O(n) in the elements.
    fn rpush<K>(self, key: impl ToArg, elements: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("RPUSH").key(key).one_or_more("element", elements))
    }

    /// Adds elements after the last one if the list exists, and returns the new length.
    ///
    /// [RPUSHX](https://redis.io/docs/latest/commands/rpushx/), O(n) in the elements.
    fn rpushx<K>(self, key: impl ToArg, elements: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("RPUSHX").key(key).one_or_more("element", elements))
    }
}

impl<E: Executor> ListCommands for E {}

/// The elements or members that [`lmpop`](ListCommands::lmpop) or [`zmpop`](super::SortedSetCommands::zmpop) removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Popped<K, T> {
    /// The key that they were removed from.
    pub key: K,
    /// The removed elements or members, in the order in which they were removed.
    pub items: Vec<T>,
}

impl<K: FromReply, T: FromReply> FromReply for Popped<K, T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [key, items] = reply.array_of()?;
        Ok(Popped { key: K::from_reply(key)?, items: Vec::from_reply(items)? })
    }
}

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListSide {
    /// The start: `LEFT`.
    Left,
    /// The end: `RIGHT`.
    Right,
}

impl ListSide {
    fn word(self) -> &'static str {
        match self {
            ListSide::Left => "LEFT",
            ListSide::Right => "RIGHT",
        }
    }
}

/// Where [`linsert`](ListCommands::linsert) inserts an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListPlace {
    /// Before the pivot: `BEFORE`.
    Before,
    /// After the pivot: `AFTER`.
    After,
}

impl ListPlace {
    fn word(self) -> &'static str {
        match self {
            ListPlace::Before => "BEFORE",
            ListPlace::After => "AFTER",
        }
    }
}

/// The outcome of [`linsert`](ListCommands::linsert).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inserted {
    /// The element was inserted, and the list has this new length.
    Length(u64),
    /// The list has no element that equals the pivot.
    NoPivot,
    /// The key does not exist.
    NoList,
}

impl FromReply for Inserted {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match i64::from_reply(reply)? {
            -1 => Ok(Inserted::NoPivot),
            0 => Ok(Inserted::NoList),
            length => u64::try_from(length).map(Inserted::Length).map_err(|_| reply.mismatch("a length, 0 or -1")),
        }
    }
}

/// Options of [`lpos`](ListCommands::lpos) and [`lpos_count`](ListCommands::lpos_count).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ListCommands;
/// use redis_rest::commands::list::LposOptions;
///
/// redis.rpush("letters", ["a", "b", "a"]).await?;
/// assert_eq!(redis.lpos("letters", "a", LposOptions::new()).await?, Some(0));
/// assert_eq!(redis.lpos("letters", "a", LposOptions::new().rank(-1)).await?, Some(2));
/// assert_eq!(redis.lpos("letters", "a", LposOptions::new().rank(2).max_len(2)).await?, None);
/// assert_eq!(redis.lpos_count("letters", "a", 0, LposOptions::new()).await?, [0, 2]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct LposOptions {
    /// Starts at match number `rank`, where 1 is the first: `RANK`. Negative ranks count matches from the end.
    ///
    /// A rank of 0 fails with `InvalidInput`.
    rank: Option<i64>,
    /// Compares at most this many elements: `MAXLEN`. 0 means all of them.
    max_len: Option<u64>,
}

impl LposOptions {
    /// Creates options that search the whole list from its first match on.
    #[must_use]
    pub fn new() -> Self {
        LposOptions::default()
    }

    /// Starts at match number `rank`, where 1 is the first: `RANK`. Negative ranks count matches from the end.
    ///
    /// A rank of 0 fails with `InvalidInput`.
    #[must_use]
    pub fn rank(mut self, rank: i64) -> Self {
        self.rank = Some(rank);
        self
    }

    /// Compares at most this many elements: `MAXLEN`. 0 means all of them.
    #[must_use]
    pub fn max_len(mut self, elements: u64) -> Self {
        self.max_len = Some(elements);
        self
    }
}

impl ToArgs for LposOptions {
    fn write_args(&self, args: &mut Args) {
        match self.rank {
            Some(0) => {
                args.reject("a rank of 0 is not a match; the first is 1, the last -1");
            }
            Some(rank) => {
                args.push("RANK").push(rank);
            }
            None => {}
        }
        if let Some(elements) = self.max_len {
            args.push("MAXLEN").push(elements);
        }
    }
}

/// Decodes an array. Nil counts as an empty one.
pub(super) fn or_empty<V: FromReply>(reply: Reply<'_>) -> Result<Vec<V>> {
    Ok(Option::from_reply(reply)?.unwrap_or_default())
}
