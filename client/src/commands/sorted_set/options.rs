//! Ranges of sorted sets, and what else their commands can be told.

use std::ops::{Bound, RangeBounds};

use crate::arg::float_text;
use crate::command::{Args, ToArgs};

/// A member and its score.
pub type Scored<M> = (M, f64);

/// An end of a sorted set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ZEnd {
    /// Of the lowest scores.
    Min,
    /// Of the highest scores.
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

/// Two ends, as Redis writes them.
pub(super) trait Ends {
    fn push_start(&self, args: &mut Args);
    fn push_end(&self, args: &mut Args);
}

/// The higher end first, as Redis wants it for reversed ranges.
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
        args.reject("an end of the range of scores is not a number");
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

/// A range of members by their names, for sets whose scores are all equal.
///
/// ```
/// use redis_rest::{Build, SortedSetCommands};
/// use redis_rest::commands::sorted_set::LexRange;
///
/// let args = Build.zlexcount("words", LexRange::all().from("b").before("d")).args();
/// assert_eq!(args, ["ZLEXCOUNT", "words", "[b", "(d"]);
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

    /// From `name` on.
    #[must_use]
    pub fn from(mut self, name: &str) -> Self {
        self.start = format!("[{name}");
        self
    }

    /// From behind `name` on.
    #[must_use]
    pub fn after(mut self, name: &str) -> Self {
        self.start = format!("({name}");
        self
    }

    /// Up to `name`, which belongs to it.
    #[must_use]
    pub fn to(mut self, name: &str) -> Self {
        self.end = format!("[{name}");
        self
    }

    /// Up to `name`, which does not.
    #[must_use]
    pub fn before(mut self, name: &str) -> Self {
        self.end = format!("({name}");
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

/// A range of a sorted set: by rank, by score or by name, from either end, and a page of it.
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
    /// From rank `start` to `stop`, both included; negative counts from the end.
    #[must_use]
    pub fn rank(start: i64, stop: i64) -> Self {
        ZRange::by(By::Rank(start, stop))
    }

    /// By score: `BYSCORE`.
    #[must_use]
    pub fn score(scores: impl RangeBounds<f64>) -> Self {
        ZRange::by(By::Score(ScoreRange::of(&scores)))
    }

    /// By name, all scores being equal: `BYLEX`.
    #[must_use]
    pub fn lex(names: LexRange) -> Self {
        ZRange::by(By::Lex(names))
    }

    fn by(by: By) -> Self {
        ZRange { by, rev: false, limit: None }
    }

    /// From the highest score, or the last name, on: `REV`.
    #[must_use]
    pub fn rev(mut self) -> Self {
        self.rev = true;
        self
    }

    /// Skips `offset` members, and gives up to `count`; a negative count gives all the others: `LIMIT`. By score and by
    /// name alone.
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
                    args.reject("a range of ranks has no limit: choose the ranks instead");
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

/// Conditions of [`zadd_with`](super::SortedSetCommands::zadd_with) and [`zadd_incr`](super::SortedSetCommands::zadd_incr): the last
/// one given of those that exclude each other.
#[derive(Debug, Clone, Copy, Default)]
pub struct ZAddOptions {
    condition: Option<&'static str>,
    changed: bool,
}

impl ZAddOptions {
    /// No condition.
    #[must_use]
    pub fn new() -> Self {
        ZAddOptions::default()
    }

    /// Only adds members: `NX`.
    #[must_use]
    pub fn only_add(mut self) -> Self {
        self.condition = Some("NX");
        self
    }

    /// Only changes members that are there: `XX`.
    #[must_use]
    pub fn only_change(mut self) -> Self {
        self.condition = Some("XX");
        self
    }

    /// Changes a score only to a higher one; adds members still: `GT`.
    #[must_use]
    pub fn only_raise(mut self) -> Self {
        self.condition = Some("GT");
        self
    }

    /// Changes a score only to a lower one; adds members still: `LT`.
    #[must_use]
    pub fn only_lower(mut self) -> Self {
        self.condition = Some("LT");
        self
    }

    /// Counts the members that are new or have another score, not the new ones alone: `CH`.
    #[must_use]
    pub fn changed(mut self) -> Self {
        self.changed = true;
        self
    }
}

impl ToArgs for ZAddOptions {
    fn write_args(&self, args: &mut Args) {
        if let Some(condition) = self.condition {
            args.push(condition);
        }
        if self.changed {
            args.push("CH");
        }
    }
}

/// How the scores of one member in several sets are combined.
#[derive(Debug, Clone, Default)]
pub struct ZCombineOptions {
    weights: Vec<f64>,
    aggregate: Option<&'static str>,
}

impl ZCombineOptions {
    /// Their sum.
    #[must_use]
    pub fn new() -> Self {
        ZCombineOptions::default()
    }

    /// Each set's scores count so many times, one weight for each key: `WEIGHTS`.
    #[must_use]
    pub fn weights(mut self, weights: impl IntoIterator<Item = f64>) -> Self {
        self.weights = weights.into_iter().collect();
        self
    }

    /// The lowest of them: `AGGREGATE MIN`.
    #[must_use]
    pub fn min(mut self) -> Self {
        self.aggregate = Some("MIN");
        self
    }

    /// The highest of them: `AGGREGATE MAX`.
    #[must_use]
    pub fn max(mut self) -> Self {
        self.aggregate = Some("MAX");
        self
    }
}

impl ToArgs for ZCombineOptions {
    fn write_args(&self, args: &mut Args) {
        if self.weights.iter().any(|weight| weight.is_nan()) {
            args.reject("a weight is not a number");
        }
        if !self.weights.is_empty() {
            args.push("WEIGHTS").extend(&self.weights);
        }
        if let Some(aggregate) = self.aggregate {
            args.push("AGGREGATE").push(aggregate);
        }
    }
}
