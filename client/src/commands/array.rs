//! Arrays: values under unsigned indexes, most of which may be empty.

use super::info::Info;
use crate::arg::{Arg, ToArg};
use crate::command::{Args, Command, OneOrMore, OneOrMorePairs, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on arrays.
///
/// An array is sparse: an index from 0 to 2^64 - 2 either has a value or is empty, and empty indexes take no memory.
/// Deleting a value does not move the others. Each array has a cursor: [`arinsert`](Self::arinsert) and
/// [`arring`](Self::arring) write after it, and only they and [`arseek`](Self::arseek) move it.
///
/// *Unverified*: the service and Redis 8.8 have these commands, and neither was available for tests. The requests match
/// those of the official TypeScript SDK. The replies are decoded as the documentation and the source of Redis describe them.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ArrayCommands;
/// use redis_rest::commands::array::{ArrayBound, ArrayOp, ArrayPredicate};
///
/// // The requests of each minute of a day.
/// assert_eq!(redis.arset("requests", 600, [12, 7, 31]).await?, 3);
/// assert_eq!(redis.armget::<u64>("requests", [600, 900]).await?, [Some(12), None]);
/// assert_eq!(redis.arop::<u64>("requests", 0, 1439, ArrayOp::Max).await?, Some(31));
///
/// // The last 100 lines of a log.
/// redis.arring("log", 100, ["started", "error: disk full"]).await?;
/// let errors = ArrayPredicate::glob("error:*");
/// let found = redis.argrep_withvalues::<String>("log", ArrayBound::First, ArrayBound::Last, errors).await?;
/// assert_eq!(found, [(1, "error: disk full".to_owned())]);
///
/// let error = redis.arinfo("nothing").await.unwrap_err();
/// assert_eq!(error.code(), Some("ERR")); // no such key
/// # Ok(())
/// # }
/// ```
pub trait ArrayCommands: Executor {
    /// Returns the number of values. [`arlen`](Self::arlen) counts empty indexes too.
    ///
    /// [ARCOUNT](https://redis.io/docs/latest/commands/arcount/), O(1).
    fn arcount(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("ARCOUNT").key(key))
    }

    /// Deletes the values at indexes, and returns the number of values that existed.
    ///
    /// [ARDEL](https://redis.io/docs/latest/commands/ardel/), O(n) in the indexes.
    fn ardel<K>(self, key: impl ToArg, indexes: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("ARDEL").key(key).one_or_more("index", indexes))
    }

    /// Deletes the values in one or more ranges, both ends included, and returns the number of values that existed:
    /// `redis.ardelrange("log", (0, 99))`.
    ///
    /// [ARDELRANGE](https://redis.io/docs/latest/commands/ardelrange/), O(n) in the values in the ranges.
    fn ardelrange<K>(
        self,
        key: impl ToArg,
        ranges: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>,
    ) -> Self::Out<u64> {
        self.execute(Command::write("ARDELRANGE").key(key).one_or_more_pairs("range", ranges))
    }

    /// Returns the value at `index`, or `None` if the index is empty or the key does not exist.
    ///
    /// [ARGET](https://redis.io/docs/latest/commands/arget/), O(1).
    fn arget<V: FromReply>(self, key: impl ToArg, index: u64) -> Self::Out<Option<V>> {
        self.execute(Command::read("ARGET").key(key).arg(index))
    }

    /// Returns what is at the indexes from `start` to `end`, both included, with `None` for each empty index. If `start`
    /// is greater than `end`, the order is reversed.
    ///
    /// Redis refuses a range of more than 1,000,000 indexes; [`arscan`](Self::arscan) skips empty ones.
    ///
    /// [ARGETRANGE](https://redis.io/docs/latest/commands/argetrange/), O(n) in the range.
    fn argetrange<V: FromReply>(self, key: impl ToArg, start: u64, end: u64) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::read("ARGETRANGE").key(key).arg(start).arg(end))
    }

    /// Returns the indexes from `start` to `end`, both included, whose values match.
    ///
    /// [`ArraySearch`] shows an example.
    ///
    /// [ARGREP](https://redis.io/docs/latest/commands/argrep/), O(n) in the values in the range, times the predicates.
    fn argrep(
        self,
        key: impl ToArg,
        start: impl Into<ArrayBound>,
        end: impl Into<ArrayBound>,
        search: impl Into<ArraySearch>,
    ) -> Self::Out<Vec<u64>> {
        self.execute(
            Command::read("ARGREP").key(key).arg(start.into().arg()).arg(end.into().arg()).options(search.into()),
        )
    }

    /// Returns the indexes from `start` to `end`, both included, whose values match, with these values.
    ///
    /// [ARGREP](https://redis.io/docs/latest/commands/argrep/), O(n) in the values in the range, times the predicates.
    fn argrep_withvalues<V: FromReply>(
        self,
        key: impl ToArg,
        start: impl Into<ArrayBound>,
        end: impl Into<ArrayBound>,
        search: impl Into<ArraySearch>,
    ) -> Self::Out<Vec<(u64, V)>> {
        let command = Command::read("ARGREP").key(key).arg(start.into().arg()).arg(end.into().arg());
        self.execute(command.options(search.into().with_values()))
    }

    /// Returns facts about an array. Redis replies with an error if the key does not exist.
    ///
    /// [ARINFO](https://redis.io/docs/latest/commands/arinfo/), O(1).
    fn arinfo(self, key: impl ToArg) -> Self::Out<ArrayInfo> {
        self.execute(Command::read("ARINFO").key(key))
    }

    /// Returns facts about an array and its slices. Redis replies with an error if the key does not exist.
    ///
    /// [ARINFO](https://redis.io/docs/latest/commands/arinfo/), O(n) in the slices.
    fn arinfo_full(self, key: impl ToArg) -> Self::Out<ArrayInfoFull> {
        self.execute(Command::read("ARINFO").key(key).arg("FULL"))
    }

    /// Writes values after the cursor, which it moves, and returns the index of the last one.
    ///
    /// [ARINSERT](https://redis.io/docs/latest/commands/arinsert/), O(n) in the values.
    fn arinsert<K>(self, key: impl ToArg, values: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("ARINSERT").key(key).one_or_more("value", values))
    }

    /// Returns what is at up to `count` indexes before the cursor, the oldest first, with `None` for each empty index.
    ///
    /// It continues at the end of the array after index 0, so it reads a ring in the order of its writes.
    ///
    /// [ARLASTITEMS](https://redis.io/docs/latest/commands/arlastitems/), O(n) in the count.
    fn arlastitems<V: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::read("ARLASTITEMS").key(key).arg(count))
    }

    /// As [`arlastitems`](Self::arlastitems), the newest first.
    ///
    /// [ARLASTITEMS](https://redis.io/docs/latest/commands/arlastitems/), O(n) in the count.
    fn arlastitems_rev<V: FromReply>(self, key: impl ToArg, count: u64) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::read("ARLASTITEMS").key(key).arg(count).arg("REV"))
    }

    /// Returns the greatest index that has a value, plus one, or 0 if the key does not exist.
    ///
    /// [ARLEN](https://redis.io/docs/latest/commands/arlen/), O(1).
    fn arlen(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("ARLEN").key(key))
    }

    /// Returns the values at indexes, in the order of the indexes, with `None` for each empty index.
    ///
    /// [ARMGET](https://redis.io/docs/latest/commands/armget/), O(n) in the indexes.
    fn armget<V: FromReply>(
        self,
        key: impl ToArg,
        indexes: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::read("ARMGET").key(key).one_or_more("index", indexes))
    }

    /// Writes one value or more, each at an index of its own, and returns how many of the indexes were empty:
    /// `redis.armset("requests", [(600, 12), (900, 7)])`.
    ///
    /// [ARMSET](https://redis.io/docs/latest/commands/armset/), O(n) in the values.
    fn armset<K>(self, key: impl ToArg, values: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("ARMSET").key(key).one_or_more_pairs("index and value", values))
    }

    /// Returns the index that the next [`arinsert`](Self::arinsert) writes to, or `None` if there is none left. It is 0
    /// if the key does not exist.
    ///
    /// [ARNEXT](https://redis.io/docs/latest/commands/arnext/), O(1).
    fn arnext(self, key: impl ToArg) -> Self::Out<Option<u64>> {
        self.execute(Command::read("ARNEXT").key(key))
    }

    /// Reduces the numbers among the values from `start` to `end`, both included, to one number, or returns `None` if
    /// there are none.
    ///
    /// The type that you ask for decides what happens to fractions: `f64` accepts any result, an integer type only
    /// integers.
    ///
    /// [AROP](https://redis.io/docs/latest/commands/arop/), O(n) in the values in the range.
    fn arop<N: FromReply>(self, key: impl ToArg, start: u64, end: u64, operation: ArrayOp) -> Self::Out<Option<N>> {
        self.execute(Command::read("AROP").key(key).arg(start).arg(end).arg(operation.word()))
    }

    /// Returns how many values from `start` to `end`, both included, equal `value`.
    ///
    /// [AROP](https://redis.io/docs/latest/commands/arop/), O(n) in the values in the range.
    fn arop_match(self, key: impl ToArg, start: u64, end: u64, value: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("AROP").key(key).arg(start).arg(end).arg("MATCH").arg(value))
    }

    /// Returns the number of values from `start` to `end`, both included.
    ///
    /// [AROP](https://redis.io/docs/latest/commands/arop/), O(n) in the values in the range.
    fn arop_used(self, key: impl ToArg, start: u64, end: u64) -> Self::Out<u64> {
        self.execute(Command::read("AROP").key(key).arg(start).arg(end).arg("USED"))
    }

    /// Writes values after the cursor, and continues at index 0 after index `size - 1`, so that the newest `size` values
    /// are kept. Returns the index of the last value.
    ///
    /// If the size differs from before, the newest values that fit move to the start of the array, and the others are
    /// dropped.
    ///
    /// [ARRING](https://redis.io/docs/latest/commands/arring/), O(n) in the values; also O(n) in the array if the size
    /// changes.
    fn arring<K>(self, key: impl ToArg, size: u64, values: impl OneOrMore<K>) -> Self::Out<u64> {
        let command = Command::write("ARRING").key(key).arg(size).one_or_more("value", values);
        self.execute(if size == 0 { command.reject("a ring has a size of at least 1") } else { command })
    }

    /// Returns the values from `start` to `end`, both included, with their indexes in ascending order. `start` must not
    /// be greater than `end`.
    ///
    /// [ARSCAN](https://redis.io/docs/latest/commands/arscan/), O(n) in the values in the range.
    fn arscan<V: FromReply>(self, key: impl ToArg, start: u64, end: u64) -> Self::Out<Vec<(u64, V)>> {
        self.execute(Command::read("ARSCAN").key(key).arg(start).arg(end))
    }

    /// As [`arscan`](Self::arscan), but returns at most `limit` values. For the next page, start after the last index of
    /// this one.
    ///
    /// [ARSCAN](https://redis.io/docs/latest/commands/arscan/), O(n) in the limit.
    fn arscan_limit<V: FromReply>(self, key: impl ToArg, start: u64, end: u64, limit: u64) -> Self::Out<Vec<(u64, V)>> {
        self.execute(Command::read("ARSCAN").key(key).arg(start).arg(end).arg("LIMIT").at_least_one(limit))
    }

    /// Moves the cursor so that the next [`arinsert`](Self::arinsert) writes to `index`, and returns whether the key
    /// exists.
    ///
    /// [ARSEEK](https://redis.io/docs/latest/commands/arseek/), O(1).
    fn arseek(self, key: impl ToArg, index: u64) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("ARSEEK").key(key).arg(index))
    }

    /// Writes values at `index` and the indexes after it, and returns how many of these were empty. The cursor stays.
    ///
    /// [ARSET](https://redis.io/docs/latest/commands/arset/), O(n) in the values.
    fn arset<K>(self, key: impl ToArg, index: u64, values: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("ARSET").key(key).arg(index).one_or_more("value", values))
    }
}

impl<E: Executor> ArrayCommands for E {}

/// An end of the range that [`argrep`](ArrayCommands::argrep) searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArrayBound {
    /// The lowest index of the array: `-`.
    First,
    /// The greatest index of the array: `+`.
    Last,
    /// An index.
    Index(u64),
}

impl From<u64> for ArrayBound {
    fn from(index: u64) -> Self {
        ArrayBound::Index(index)
    }
}

impl ArrayBound {
    fn arg(self) -> Arg<'static> {
        match self {
            ArrayBound::First => Arg::from("-"),
            ArrayBound::Last => Arg::from("+"),
            ArrayBound::Index(index) => Arg::Uint(index),
        }
    }
}

/// What [`arop`](ArrayCommands::arop) does with the numbers in a range. Values that are not numbers are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArrayOp {
    /// Adds them: `SUM`.
    Sum,
    /// Finds the smallest: `MIN`.
    Min,
    /// Finds the greatest: `MAX`.
    Max,
    /// Combines them by a bitwise AND, as integers of 64 bits: `AND`.
    And,
    /// Combines them by a bitwise OR, as integers of 64 bits: `OR`.
    Or,
    /// Combines them by a bitwise XOR, as integers of 64 bits: `XOR`.
    Xor,
}

impl ArrayOp {
    fn word(self) -> &'static str {
        match self {
            ArrayOp::Sum => "SUM",
            ArrayOp::Min => "MIN",
            ArrayOp::Max => "MAX",
            ArrayOp::And => "AND",
            ArrayOp::Or => "OR",
            ArrayOp::Xor => "XOR",
        }
    }
}

/// A condition on a value, for [`argrep`](ArrayCommands::argrep).
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayPredicate {
    word: &'static str,
    pattern: Arg<'static>,
}

impl ArrayPredicate {
    fn new(word: &'static str, pattern: &(impl ToArg + ?Sized)) -> Self {
        ArrayPredicate { word, pattern: pattern.to_arg().into_owned() }
    }

    /// The value equals `value`: `EXACT`.
    #[must_use]
    pub fn exact(value: impl ToArg) -> Self {
        ArrayPredicate::new("EXACT", &value)
    }

    /// The value contains `part`: `MATCH`.
    #[must_use]
    pub fn contains(part: impl ToArg) -> Self {
        ArrayPredicate::new("MATCH", &part)
    }

    /// The value matches a glob-style `pattern`: `GLOB`.
    #[must_use]
    pub fn glob(pattern: &str) -> Self {
        ArrayPredicate::new("GLOB", pattern)
    }

    /// A part of the value matches a regular expression of up to 2,048 bytes, without backreferences: `RE`.
    #[must_use]
    pub fn regex(pattern: &str) -> Self {
        ArrayPredicate::new("RE", pattern)
    }
}

/// Which values [`argrep`](ArrayCommands::argrep) finds: those that meet one or more predicates, at most 250.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ArrayCommands;
/// use redis_rest::commands::array::{ArrayBound, ArrayPredicate, ArraySearch};
///
/// redis.arinsert("log", ["Error: disk", "ok", "error: network"]).await?;
/// let disk = [ArrayPredicate::glob("error:*"), ArrayPredicate::contains("disk")];
/// let search = ArraySearch::all(disk).no_case().limit(10);
/// assert_eq!(redis.argrep("log", ArrayBound::First, ArrayBound::Last, search).await?, [0]);
///
/// // One predicate needs no `ArraySearch`.
/// assert_eq!(redis.argrep("log", 0, 99, ArrayPredicate::exact("ok")).await?, [1]);
///
/// let error = redis.argrep("log", 0, 99, ArraySearch::any([])).await.unwrap_err();
/// assert!(error.is_invalid_input());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ArraySearch {
    predicates: Vec<ArrayPredicate>,
    all: bool,
    no_case: bool,
    limit: Option<u64>,
    with_values: bool,
}

impl ArraySearch {
    /// Values that meet at least one of the predicates.
    #[must_use]
    pub fn any(predicates: impl IntoIterator<Item = ArrayPredicate>) -> Self {
        let predicates = predicates.into_iter().collect();
        ArraySearch { predicates, all: false, no_case: false, limit: None, with_values: false }
    }

    /// Values that meet all predicates: `AND`.
    #[must_use]
    pub fn all(predicates: impl IntoIterator<Item = ArrayPredicate>) -> Self {
        ArraySearch { all: true, ..ArraySearch::any(predicates) }
    }

    /// Ignores the case of ASCII letters: `NOCASE`.
    #[must_use]
    pub fn no_case(mut self) -> Self {
        self.no_case = true;
        self
    }

    /// Returns at most `limit` indexes: `LIMIT`. A limit of 0 fails with `InvalidInput`.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    fn with_values(mut self) -> Self {
        self.with_values = true;
        self
    }
}

impl From<ArrayPredicate> for ArraySearch {
    fn from(predicate: ArrayPredicate) -> Self {
        ArraySearch::any([predicate])
    }
}

impl ToArgs for ArraySearch {
    fn write_args(&self, args: &mut Args) {
        if self.predicates.is_empty() {
            args.reject("needs at least one predicate");
        }
        for ArrayPredicate { word, pattern } in &self.predicates {
            args.push(*word).push(pattern);
        }
        args.extend(self.all.then_some("AND"));
        args.extend(self.no_case.then_some("NOCASE"));
        args.extend(self.with_values.then_some("WITHVALUES"));
        match self.limit {
            Some(0) => {
                args.reject("a limit of 0 asks for nothing; use at least 1");
            }
            Some(limit) => {
                args.push("LIMIT").push(limit);
            }
            None => {}
        }
    }
}

/// Facts about an array, from [`arinfo`](ArrayCommands::arinfo).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArrayInfo {
    /// The greatest index that has a value, plus one.
    pub len: u64,
    /// The number of values.
    pub count: u64,
    /// The index that the next [`arinsert`](ArrayCommands::arinsert) writes to. Redis reports 0 if there is none left.
    pub next_insert_index: u64,
    /// The number of slices, in which the array keeps its values.
    pub slices: u64,
    /// The number of indexes in a slice.
    pub slice_size: u64,
    /// The number of entries in the directory of slices.
    pub directory_size: u64,
    /// The number of entries in the directory above it.
    pub super_dir_entries: u64,
}

impl ArrayInfo {
    fn of(info: &Info<'_>) -> Result<Self> {
        Ok(ArrayInfo {
            len: info.get("len")?,
            count: info.get("count")?,
            next_insert_index: info.get("next-insert-index")?,
            slices: info.get("slices")?,
            slice_size: info.get("slice-size")?,
            directory_size: info.get("directory-size")?,
            super_dir_entries: info.get("super-dir-entries")?,
        })
    }
}

impl FromReply for ArrayInfo {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        ArrayInfo::of(&Info::of(reply)?)
    }
}

/// Facts about an array and its slices, from [`arinfo_full`](ArrayCommands::arinfo_full).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ArrayInfoFull {
    /// The facts about the array.
    pub array: ArrayInfo,
    /// The number of dense slices, which have room for empty indexes.
    pub dense_slices: u64,
    /// The number of sparse slices, which do not.
    pub sparse_slices: u64,
    /// The average size of a dense slice.
    pub avg_dense_size: f64,
    /// The average part of a dense slice that has values, from 0 to 1.
    pub avg_dense_fill: f64,
    /// The average size of a sparse slice.
    pub avg_sparse_size: f64,
}

impl FromReply for ArrayInfoFull {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(ArrayInfoFull {
            array: ArrayInfo::of(&info)?,
            dense_slices: info.get("dense-slices")?,
            sparse_slices: info.get("sparse-slices")?,
            avg_dense_size: info.get("avg-dense-size")?,
            avg_dense_fill: info.get("avg-dense-fill")?,
            avg_sparse_size: info.get("avg-sparse-size")?,
        })
    }
}
