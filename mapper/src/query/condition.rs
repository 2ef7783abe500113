//! Conditions of a query: ranges of encoded values that a column must have a value in.

use crate::index::encode;

/// A condition on one column: one of its values is in one of the ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The position in the layout's columns.
    pub(crate) column: usize,
    /// In ascending order, and without overlap.
    pub(crate) ranges: Vec<Bounds>,
}

/// A range of encoded values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bounds {
    pub(crate) lower: Edge,
    pub(crate) upper: Edge,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edge {
    Unbounded,
    Included(String),
    Excluded(String),
    /// Values that begin with this text. Both ends of the range have it.
    Prefix(String),
}

impl Condition {
    /// Returns the condition that the column has one of these values.
    pub(crate) fn any_of(column: usize, values: impl IntoIterator<Item = String>) -> Self {
        let mut ranges: Vec<_> = values.into_iter().map(Bounds::value).collect();
        ranges.sort_unstable();
        ranges.dedup();
        Condition { column, ranges }
    }

    pub(crate) fn range(column: usize, range: Bounds) -> Self {
        Condition { column, ranges: vec![range] }
    }

    /// Returns the values, if the condition is about single values.
    pub(crate) fn values(&self) -> Option<Vec<&str>> {
        self.ranges.iter().map(Bounds::single).collect()
    }

    /// Returns whether no value is in any of the ranges.
    pub(crate) fn is_never(&self) -> bool {
        self.ranges.iter().all(Bounds::is_empty)
    }

    /// Returns whether a value of the column, as it stands in a row, is in one of the ranges.
    pub(crate) fn holds(&self, column: &str) -> bool {
        let mut values = column.split(encode::BETWEEN_VALUES).filter_map(|value| value.strip_prefix('='));
        values.any(|value| self.ranges.iter().any(|range| range.contains(value)))
    }
}

impl Bounds {
    pub(crate) fn value(value: String) -> Self {
        Bounds { lower: Edge::Included(value.clone()), upper: Edge::Included(value) }
    }

    /// Returns the range of the texts that begin with `prefix`.
    pub(crate) fn prefix(prefix: String) -> Self {
        if prefix.is_empty() {
            return Bounds { lower: Edge::Unbounded, upper: Edge::Unbounded };
        }
        Bounds { lower: Edge::Prefix(prefix.clone()), upper: Edge::Prefix(prefix) }
    }

    /// Returns the value, if the range has exactly one.
    pub(crate) fn single(&self) -> Option<&str> {
        match (&self.lower, &self.upper) {
            (Edge::Included(lower), Edge::Included(upper)) if lower == upper => Some(lower),
            _ => None,
        }
    }

    /// Returns the range of the entries that begin with the values in `before`, each followed by NUL, and go on with a value
    /// of this range.
    pub(crate) fn behind(&self, before: &str) -> Self {
        if before.is_empty() {
            return self.clone();
        }
        let edge = |edge: &Edge| match edge {
            Edge::Unbounded => Edge::Prefix(before.to_owned()),
            Edge::Included(value) => Edge::Included(format!("{before}{value}")),
            Edge::Excluded(value) => Edge::Excluded(format!("{before}{value}")),
            Edge::Prefix(prefix) => Edge::Prefix(format!("{before}{prefix}")),
        };
        Bounds { lower: edge(&self.lower), upper: edge(&self.upper) }
    }

    /// Returns whether nothing can be in the range.
    fn is_empty(&self) -> bool {
        use Edge::{Excluded, Included};

        match (&self.lower, &self.upper) {
            (Included(lower), Included(upper)) => lower > upper,
            (Included(lower) | Excluded(lower), Included(upper) | Excluded(upper)) => lower >= upper,
            _ => false,
        }
    }

    /// Returns whether an entry of an index is in the range: values, each followed by NUL, and an id. The script completes
    /// the bounds in the same way.
    pub(crate) fn contains_entry(&self, entry: &str) -> bool {
        let above = match &self.lower {
            Edge::Unbounded => true,
            Edge::Included(lower) => *entry >= *format!("{lower}\0"),
            Edge::Excluded(lower) => *entry >= *format!("{lower}\u{1}"),
            Edge::Prefix(prefix) => entry >= prefix.as_str(),
        };
        let below = match &self.upper {
            Edge::Unbounded => true,
            Edge::Included(upper) => *entry < *format!("{upper}\u{1}"),
            Edge::Excluded(upper) => *entry < *format!("{upper}\0"),
            Edge::Prefix(prefix) => entry < prefix.as_str() || entry.starts_with(prefix),
        };
        above && below
    }

    fn contains(&self, value: &str) -> bool {
        let above = match &self.lower {
            Edge::Unbounded => true,
            Edge::Included(lower) => value >= lower.as_str(),
            Edge::Excluded(lower) => value > lower.as_str(),
            Edge::Prefix(prefix) => value.starts_with(prefix),
        };
        let below = match &self.upper {
            Edge::Unbounded => true,
            Edge::Included(upper) => value <= upper.as_str(),
            Edge::Excluded(upper) => value < upper.as_str(),
            Edge::Prefix(prefix) => value.starts_with(prefix),
        };
        above && below
    }
}

impl Edge {
    /// Returns the bound as the script reads it. It has the same letters.
    pub(crate) fn to_argument(&self) -> String {
        match self {
            Edge::Unbounded => String::from("n"),
            Edge::Included(value) => format!("i{value}"),
            Edge::Excluded(value) => format!("x{value}"),
            Edge::Prefix(prefix) => format!("p{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(lower: Edge, upper: Edge) -> Bounds {
        Bounds { lower, upper }
    }

    #[test]
    fn a_column_matches_by_any_of_its_values() {
        let tags = Condition::any_of(0, ["b".to_owned(), "a".to_owned(), "b".to_owned()]);
        assert_eq!(tags.values(), Some(vec!["a", "b"]));
        assert!(tags.holds("=x\u{2}=b"));
        assert!(!tags.holds("=x\u{2}=bb"));
        assert!(!tags.holds(""));
        assert!(Condition::any_of(0, [String::new()]).holds("="));
        assert!(Condition::any_of(0, []).is_never());
    }

    #[test]
    fn every_bound() {
        let [a, b] = ["a", "b"].map(str::to_owned);
        let within = |range: &Bounds, values: [&str; 4]| values.map(|value| range.contains(value));
        let all = ["a", "aa", "b", "ba"];
        let half_open = bounds(Edge::Included(a.clone()), Edge::Excluded(b.clone()));
        assert_eq!(within(&half_open, all), [true, true, false, false]);
        let excluded_start = bounds(Edge::Excluded(a.clone()), Edge::Included(b.clone()));
        assert_eq!(within(&excluded_start, all), [false, true, true, false]);
        assert_eq!(within(&Bounds::prefix(b.clone()), all), [false, false, true, true]);
        assert_eq!(within(&Bounds::prefix(String::new()), all), [true; 4]);

        let entries = |range: &Bounds| all.map(|value| range.contains_entry(&format!("{value}\0id")));
        assert_eq!(entries(&half_open), [true, true, false, false]);
        assert_eq!(entries(&excluded_start), [false, true, true, false]);
        assert_eq!(entries(&Bounds::prefix(b.clone())), [false, false, true, true]);
        assert_eq!(entries(&Bounds::prefix(String::new())), [true; 4]);

        let never = Condition::range(0, bounds(Edge::Included(b.clone()), Edge::Included(a)));
        assert!(never.is_never());
        assert!(!Condition::range(0, Bounds::value(b)).is_never());
    }
}
