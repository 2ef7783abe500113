//! Ranges of sorted sets, and the options of their commands.

use std::ops::{Bound, RangeBounds};

use crate::arg::float_text;
use crate::command::{Args, ToArgs};

/// A member and its score.
pub type Scored<M> = (M, f64);

/// The end of a sorted set that [`zmpop`](super::SortedSetCommands::zmpop) removes members from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ZEnd {
    /// The lowest scores.
    Min,
    /// The highest scores.
    Max,
}

impl ZEnd {
    pub(super) fn word(self) -> &'static str {
        match self {
            ZEnd::Min => "MIN",
            ZEnd::Max => "MAX",
        }
    }
}

/// A range whose bounds Redis takes lower first, or, reversed, upper first.
pub(super) trait Ends {
    fn push_start(&self, args: &mut Args);
    fn push_end(&self, args: &mut Args);
}

/// Writes the upper bound first, as Redis expects it for reversed ranges.
pub(super) struct Reversed<'a, T>(pub(super) &'a T);

impl<T: Ends> ToArgs for Reversed<'_, T> {
    fn write_args(&self, args: &mut Args) {
        self.0.push_end(args);
        self.0.push_start(args);
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ScoreRange {
    start: Bound<f64>,
    end: Bound<f64>,
}

impl ScoreRange {
    pub(super) fn of(range: &impl RangeBounds<f64>) -> Self {
        ScoreRange { start: range.start_bound().cloned(), end: range.end_bound().cloned() }
    }
}

fn push_score(args: &mut Args, bound: Bound<f64>, open: &str) {
    if let Bound::Included(score) | Bound::Excluded(score) = bound
        && score.is_nan()
    {
        args.reject("a bound of the score range is NaN");
    }
    match bound {
        Bound::Included(score) => args.push(score),
        Bound::Excluded(score) => args.push(format!("({}", float_text(score))),
        Bound::Unbounded => args.push(open),
    };
}

impl Ends for ScoreRange {
    fn push_start(&self, args: &mut Args) {
        push_score(args, self.start, "-inf");
    }

    fn push_end(&self, args: &mut Args) {
        push_score(args, self.end, "+inf");
    }
}

impl ToArgs for ScoreRange {
    fn write_args(&self, args: &mut Args) {
        self.push_start(args);
        self.push_end(args);
    }
}

/// A lexicographical range of members, for a set whose scores are all equal.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::SortedSetCommands;
/// use redis_rest::commands::sorted_set::{LexRange, ZRange};
///
/// redis.zadd("words", [(0.0, "apple"), (0.0, "banana"), (0.0, "cherry")]).await?;
/// let words: Vec<String> = redis.zrange("words", ZRange::lex(LexRange::all().from("b").before("cherry"))).await?;
/// assert_eq!(words, ["banana"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LexRange {
    start: String,
    end: String,
}

impl LexRange {
    /// All members.
    #[must_use]
    pub fn all() -> Self {
        LexRange { start: "-".to_owned(), end: "+".to_owned() }
    }

    /// Starts at `member`, included.
    #[must_use]
    pub fn from(mut self, member: &str) -> Self {
        self.start = format!("[{member}");
        self
    }

    /// Starts after `member`.
    #[must_use]
    pub fn after(mut self, member: &str) -> Self {
        self.start = format!("({member}");
        self
    }

    /// Ends at `member`, included.
    #[must_use]
    pub fn to(mut self, member: &str) -> Self {
        self.end = format!("[{member}");
        self
    }

    /// Ends before `member`.
    #[must_use]
    pub fn before(mut self, member: &str) -> Self {
        self.end = format!("({member}");
        self
    }
}

impl Ends for LexRange {
    fn push_start(&self, args: &mut Args) {
        args.push(&self.start);
    }

    fn push_end(&self, args: &mut Args) {
        args.push(&self.end);
    }
}

impl ToArgs for LexRange {
    fn write_args(&self, args: &mut Args) {
        self.push_start(args);
        self.push_end(args);
    }
}

/// A range of a sorted set: by rank, by score or lexicographically, in either direction, and a page of it.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::SortedSetCommands;
/// use redis_rest::commands::sorted_set::ZRange;
///
/// redis.zadd("board", [(5.0, "ada"), (9.0, "grace"), (2.0, "alan")]).await?;
/// let winner: Vec<String> = redis.zrange("board", ZRange::rank(0, 0).rev()).await?;
/// assert_eq!(winner, ["grace"]);
/// let next = redis.zrange_withscores::<String>("board", ZRange::score(..9.0).rev().limit(0, 1)).await?;
/// assert_eq!(next, [("ada".to_owned(), 5.0)]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ZRange {
    pub(super) by: By,
    rev: bool,
    limit: Option<(u64, i64)>,
}

#[derive(Debug, Clone)]
pub(super) enum By {
    Rank(i64, i64),
    Score(ScoreRange),
    Lex(LexRange),
}

impl ZRange {
    /// The members from rank `start` to `stop`, both included. A negative rank counts from the end.
    #[must_use]
    pub fn rank(start: i64, stop: i64) -> Self {
        ZRange::by(By::Rank(start, stop))
    }

    /// The members whose score is in the range: `BYSCORE`.
    #[must_use]
    pub fn score(scores: impl RangeBounds<f64>) -> Self {
        ZRange::by(By::Score(ScoreRange::of(&scores)))
    }

    /// The members of a lexicographical range, for a set whose scores are all equal: `BYLEX`.
    #[must_use]
    pub fn lex(names: LexRange) -> Self {
        ZRange::by(By::Lex(names))
    }

    fn by(by: By) -> Self {
        ZRange { by, rev: false, limit: None }
    }

    /// Starts at the highest score, or at the last member: `REV`.
    #[must_use]
    pub fn rev(mut self) -> Self {
        self.rev = true;
        self
    }

    /// Skips `offset` members and returns up to `count`, or all that follow if `count` is negative: `LIMIT`.
    /// `InvalidInput` if the range is by rank.
    #[must_use]
    pub fn limit(mut self, offset: u64, count: i64) -> Self {
        self.limit = Some((offset, count));
        self
    }
}

impl ToArgs for ZRange {
    fn write_args(&self, args: &mut Args) {
        let push = |ends: &dyn Ends, args: &mut Args| {
            if self.rev {
                ends.push_end(args);
                ends.push_start(args);
            } else {
                ends.push_start(args);
                ends.push_end(args);
            }
        };
        match &self.by {
            By::Rank(start, stop) => {
                args.push(start).push(stop);
                if self.limit.is_some() {
                    args.reject("a range of ranks takes no limit; choose the first and last rank instead");
                }
            }
            By::Score(scores) => {
                push(scores, args);
                args.push("BYSCORE");
            }
            By::Lex(names) => {
                push(names, args);
                args.push("BYLEX");
            }
        }
        if self.rev {
            args.push("REV");
        }
        if let Some((offset, count)) = self.limit {
            args.push("LIMIT").push(offset).push(count);
        }
    }
}

/// Options of [`zadd_with`](super::SortedSetCommands::zadd_with) and
/// [`zadd_incr`](super::SortedSetCommands::zadd_incr).
///
/// They hold two choices: `nx` or `xx`, and `gt` or `lt`. A later call replaces an earlier one of the same choice. `nx`
/// with `gt` or `lt` fails with `InvalidInput`, because a new member has no score to compare with.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::SortedSetCommands;
/// use redis_rest::commands::sorted_set::ZAddOptions;
///
/// redis.zadd("records", [(9.6, "ada")]).await?;
/// let better = ZAddOptions::new().gt().ch();
/// assert_eq!(redis.zadd_with("records", [(9.1, "ada"), (8.2, "grace")], better).await?, 1);
/// assert_eq!(redis.zscore("records", "ada").await?, Some(9.6));
///
/// let better_of_existing = ZAddOptions::new().xx().gt();
/// assert_eq!(redis.zadd_with("records", [(9.9, "ada"), (5.0, "alan")], better_of_existing).await?, 0);
/// assert_eq!(redis.zscore("records", "alan").await?, None); // not added
/// assert_eq!(redis.zscore("records", "ada").await?, Some(9.9));
///
/// let existing = ZAddOptions::new().xx();
/// assert_eq!(redis.zadd_incr("records", 1.0, "alan", existing).await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ZAddOptions(AddOptions);

impl ZAddOptions {
    /// Sets no condition.
    #[must_use]
    pub fn new() -> Self {
        ZAddOptions::default()
    }

    /// Adds new members and leaves existing ones as they are: `NX`.
    #[must_use]
    pub fn nx(mut self) -> Self {
        self.0.existence = Some(Existence::Nx);
        self
    }

    /// Changes existing members and adds none: `XX`.
    #[must_use]
    pub fn xx(mut self) -> Self {
        self.0.existence = Some(Existence::Xx);
        self
    }

    /// Changes a score only to a higher one: `GT`. New members are added, unless [`xx`](Self::xx) is set too.
    #[must_use]
    pub fn gt(mut self) -> Self {
        self.0.comparison = Some("GT");
        self
    }

    /// Changes a score only to a lower one: `LT`. New members are added, unless [`xx`](Self::xx) is set too.
    #[must_use]
    pub fn lt(mut self) -> Self {
        self.0.comparison = Some("LT");
        self
    }

    /// Makes `zadd_with` return the number of members that are new or have a different score: `CH`.
    #[must_use]
    pub fn ch(mut self) -> Self {
        self.0.changed = true;
        self
    }
}

impl ToArgs for ZAddOptions {
    fn write_args(&self, args: &mut Args) {
        self.0.write_args(args);
    }
}

/// The options that `ZADD` and `GEOADD` share.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::commands) struct AddOptions {
    pub(in crate::commands) existence: Option<Existence>,
    /// `GT` or `LT`, which GEOADD does not have.
    comparison: Option<&'static str>,
    pub(in crate::commands) changed: bool,
}

/// Which members are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Existence {
    Nx,
    Xx,
}

impl ToArgs for AddOptions {
    fn write_args(&self, args: &mut Args) {
        if self.existence == Some(Existence::Nx) && self.comparison.is_some() {
            args.reject(
                "NX adds new members, whose score GT and LT cannot compare; use `nx` alone, or `xx` with `gt` or `lt`",
            );
        }
        args.extend(self.existence.map(|existence| match existence {
            Existence::Nx => "NX",
            Existence::Xx => "XX",
        }));
        args.extend(self.comparison).extend(self.changed.then_some("CH"));
    }
}

/// How unions and intersections combine the scores of a member: their sum by default.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::SortedSetCommands;
/// use redis_rest::commands::sorted_set::ZCombineOptions;
///
/// redis.zadd("exam", [(7.0, "ada")]).await?;
/// redis.zadd("project", [(9.0, "ada"), (8.0, "alan")]).await?;
/// let weighted = ZCombineOptions::new().weights([1.0, 2.0]);
/// let marks = redis.zunion_withscores::<String>(["exam", "project"], weighted).await?;
/// assert_eq!(marks, [("alan".to_owned(), 16.0), ("ada".to_owned(), 25.0)]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ZCombineOptions {
    weights: Vec<f64>,
    aggregate: Option<&'static str>,
}

impl ZCombineOptions {
    /// Adds the scores.
    #[must_use]
    pub fn new() -> Self {
        ZCombineOptions::default()
    }

    /// Multiplies the scores of each set by its weight, one weight per key: `WEIGHTS`.
    #[must_use]
    pub fn weights(mut self, weights: impl IntoIterator<Item = f64>) -> Self {
        self.weights = weights.into_iter().collect();
        self
    }

    /// Takes the lowest score: `AGGREGATE MIN`.
    #[must_use]
    pub fn min(mut self) -> Self {
        self.aggregate = Some("MIN");
        self
    }

    /// Takes the highest score: `AGGREGATE MAX`.
    #[must_use]
    pub fn max(mut self) -> Self {
        self.aggregate = Some("MAX");
        self
    }
}

impl ToArgs for ZCombineOptions {
    fn write_args(&self, args: &mut Args) {
        if self.weights.iter().any(|weight| weight.is_nan()) {
            args.reject("a weight is NaN");
        }
        if !self.weights.is_empty() {
            args.push("WEIGHTS").extend(&self.weights);
        }
        if let Some(aggregate) = self.aggregate {
            args.push("AGGREGATE").push(aggregate);
        }
    }
}
