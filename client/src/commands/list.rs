//! Lists: sequences with two ends.

use crate::arg::ToArg;
use crate::command::Command;
use crate::command::{Args, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on lists. Those that block (`BLPOP`, `BLMOVE` …) do not go over REST: poll, or wait by a subscription.
///
/// ```
/// use redis_rest::{Build, ListCommands};
/// use redis_rest::commands::list::ListSide;
///
/// assert_eq!(Build.rpush("jobs", ["a", "b"]).args(), ["RPUSH", "jobs", "a", "b"]);
/// let args = Build.lmove::<String>("jobs", "running", ListSide::Left, ListSide::Right).args();
/// assert_eq!(args, ["LMOVE", "jobs", "running", "LEFT", "RIGHT"]);
/// ```
pub trait ListCommands: Executor {
    /// The element at `index`; negative counts from the end. [LINDEX](https://redis.io/docs/latest/commands/lindex/),
    /// O(n) in the index.
    fn lindex<V: FromReply>(self, key: impl ToArg, index: i64) -> Self::Out<Option<V>> {
        self.execute(Command::read("LINDEX").arg(key).arg(index))
    }

    /// Inserts an element beside `pivot`, and gives the new length; `None` without the key or the pivot.
    /// [LINSERT](https://redis.io/docs/latest/commands/linsert/), O(n) in what is before the pivot.
    fn linsert(
        self,
        key: impl ToArg,
        place: ListPlace,
        pivot: impl ToArg,
        element: impl ToArg,
    ) -> Self::Out<Option<u64>> {
        let command = Command::write("LINSERT").arg(key).arg(place.word()).arg(pivot).arg(element);
        self.submit(command.decode_with(inserted))
    }

    /// How many elements there are. [LLEN](https://redis.io/docs/latest/commands/llen/), O(1).
    fn llen(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("LLEN").arg(key))
    }

    /// Takes an element off one list, puts it on another, and gives it; `None` when there is none.
    /// [LMOVE](https://redis.io/docs/latest/commands/lmove/), O(1).
    fn lmove<V: FromReply>(
        self,
        source: impl ToArg,
        destination: impl ToArg,
        from: ListSide,
        to: ListSide,
    ) -> Self::Out<Option<V>> {
        self.execute(Command::write("LMOVE").arg(source).arg(destination).arg(from.word()).arg(to.word()))
    }

    /// Takes up to `count` elements off the first list that has any, and gives them with its key.
    /// [LMPOP](https://redis.io/docs/latest/commands/lmpop/), O(n) in the keys and the count.
    fn lmpop<K: FromReply, V: FromReply>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        side: ListSide,
        count: u64,
    ) -> Self::Out<Option<Popped<K, V>>> {
        self.execute(Command::write("LMPOP").numbered("key", keys).arg(side.word()).arg("COUNT").at_least_one(count))
    }

    /// Takes the first element. [LPOP](https://redis.io/docs/latest/commands/lpop/), O(1).
    fn lpop<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("LPOP").arg(key))
    }

    /// Takes up to `count` first elements. [LPOP](https://redis.io/docs/latest/commands/lpop/), O(n) in the count.
    fn lpop_count<V: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<V>> {
        self.submit(Command::write("LPOP").arg(key).arg(count).decode_with(or_empty))
    }

    /// The index of the first element that equals `element`. [LPOS](https://redis.io/docs/latest/commands/lpos/), O(n).
    fn lpos(self, key: impl ToArg, element: impl ToArg, options: LposOptions) -> Self::Out<Option<u64>> {
        self.execute(Command::read("LPOS").arg(key).arg(element).options(options))
    }

    /// The indexes of up to `count` elements that equal `element`; 0 asks for all.
    /// [LPOS](https://redis.io/docs/latest/commands/lpos/), O(n).
    fn lpos_count(self, key: impl ToArg, element: impl ToArg, count: u64, options: LposOptions) -> Self::Out<Vec<u64>> {
        self.execute(Command::read("LPOS").arg(key).arg(element).options(options).arg("COUNT").arg(count))
    }

    /// Adds elements before the first, one after the other, and gives the new length.
    /// [LPUSH](https://redis.io/docs/latest/commands/lpush/), O(n) in the elements.
    fn lpush(self, key: impl ToArg, elements: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("LPUSH").arg(key).one_or_more("element", elements))
    }

    /// As [`lpush`](Self::lpush), if the list exists. [LPUSHX](https://redis.io/docs/latest/commands/lpushx/), O(n) in
    /// the elements.
    fn lpushx(self, key: impl ToArg, elements: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("LPUSHX").arg(key).one_or_more("element", elements))
    }

    /// The elements from `start` to `stop`, both included; negative counts from the end.
    /// [LRANGE](https://redis.io/docs/latest/commands/lrange/), O(n).
    fn lrange<V: FromReply>(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<Vec<V>> {
        self.execute(Command::read("LRANGE").arg(key).arg(start).arg(stop))
    }

    /// Removes elements that equal `element`, and gives how many: the first `count`, with a negative count the last,
    /// with 0 all. [LREM](https://redis.io/docs/latest/commands/lrem/), O(n).
    fn lrem(self, key: impl ToArg, count: i64, element: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::write("LREM").arg(key).arg(count).arg(element))
    }

    /// Replaces the element at `index`. [LSET](https://redis.io/docs/latest/commands/lset/), O(n) in the index.
    fn lset(self, key: impl ToArg, index: i64, element: impl ToArg) -> Self::Out<()> {
        self.execute(Command::idempotent_write("LSET").arg(key).arg(index).arg(element))
    }

    /// Keeps the elements from `start` to `stop`, both included, and removes the others.
    /// [LTRIM](https://redis.io/docs/latest/commands/ltrim/), O(n) in what is removed.
    fn ltrim(self, key: impl ToArg, start: i64, stop: i64) -> Self::Out<()> {
        self.execute(Command::write("LTRIM").arg(key).arg(start).arg(stop))
    }

    /// Takes the last element. [RPOP](https://redis.io/docs/latest/commands/rpop/), O(1).
    fn rpop<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("RPOP").arg(key))
    }

    /// Takes up to `count` last elements, the last first. [RPOP](https://redis.io/docs/latest/commands/rpop/), O(n) in
    /// the count.
    fn rpop_count<V: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<V>> {
        self.submit(Command::write("RPOP").arg(key).arg(count).decode_with(or_empty))
    }

    /// Takes the last element of one list, and puts it before the first of another. Deprecated in Redis in favour of
    /// [`lmove`](Self::lmove). [RPOPLPUSH](https://redis.io/docs/latest/commands/rpoplpush/), O(1).
    fn rpoplpush<V: FromReply>(self, source: impl ToArg, destination: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("RPOPLPUSH").arg(source).arg(destination))
    }

    /// Adds elements behind the last, and gives the new length.
    /// [RPUSH](https://redis.io/docs/latest/commands/rpush/), O(n) in the elements.
    fn rpush(self, key: impl ToArg, elements: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("RPUSH").arg(key).one_or_more("element", elements))
    }

    /// As [`rpush`](Self::rpush), if the list exists. [RPUSHX](https://redis.io/docs/latest/commands/rpushx/), O(n) in
    /// the elements.
    fn rpushx(self, key: impl ToArg, elements: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("RPUSHX").arg(key).one_or_more("element", elements))
    }
}

impl<E: Executor> ListCommands for E {}

/// What was taken off the first key that had any: by [`lmpop`](ListCommands::lmpop) and
/// [`zmpop`](super::SortedSetCommands::zmpop).
#[derive(Debug, Clone, PartialEq)]
pub struct Popped<K, T> {
    /// The key.
    pub key: K,
    /// What was taken, in order.
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
    /// The first element's.
    Left,
    /// The last element's.
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

/// On which side of another an element is inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListPlace {
    /// Before it.
    Before,
    /// Behind it.
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

/// Options of [`lpos`](ListCommands::lpos) and [`lpos_count`](ListCommands::lpos_count).
#[derive(Debug, Clone, Copy, Default)]
pub struct LposOptions {
    rank: Option<i64>,
    max_len: Option<u64>,
}

impl LposOptions {
    /// From the first match on, in the whole list.
    #[must_use]
    pub fn new() -> Self {
        LposOptions::default()
    }

    /// From match number `rank` on, the first being 1; negative counts matches from the end: `RANK`.
    #[must_use]
    pub fn rank(mut self, rank: i64) -> Self {
        self.rank = Some(rank);
        self
    }

    /// Looks at no more than so many elements: `MAXLEN`.
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

/// 0 and -1 are Redis's codes for no key and no pivot.
fn inserted(reply: Reply<'_>) -> Result<Option<u64>> {
    Ok(u64::try_from(i64::from_reply(reply)?).ok().filter(|&length| length > 0))
}

/// An array; nil counts as one that is empty.
pub(super) fn or_empty<V: FromReply>(reply: Reply<'_>) -> Result<Vec<V>> {
    Ok(Option::from_reply(reply)?.unwrap_or_default())
}
