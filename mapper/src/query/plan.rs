//! The plan of a query: which indexes can be walked, by which ranges.

use redis_rest::{Error, ErrorKind, Result};

use super::condition::{Bounds, Condition};
use crate::index::{Index, Layout};

/// The most ranges that the values of several conditions are multiplied to.
const MAX_PRODUCT: usize = 256;

/// The order of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    /// The position in the layout's columns.
    pub(crate) column: usize,
    pub(crate) descending: bool,
}

/// The indexes that a query can walk. The script walks the one with the fewest entries in its ranges.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) descending: bool,
}

/// An index that a query can walk.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// The position in the layout's indexes.
    pub(crate) index: usize,
    /// In walking order.
    pub(crate) ranges: Vec<Bounds>,
    /// The positions of the conditions that the ranges do not cover: they are tested on rows.
    pub(crate) tested: Vec<usize>,
    /// The partitions to walk.
    pub(crate) partitions: Vec<u32>,
}

impl Plan {
    /// Plans a query.
    pub(crate) fn new(layout: &Layout, conditions: &[Condition], order: Option<Order>) -> Result<Self> {
        let descending = order.is_some_and(|order| order.descending);
        let all = layout.indexes.iter().enumerate();
        let mut candidates: Vec<_> =
            all.filter_map(|(at, index)| candidate(layout, (at, index), conditions, order)).collect();
        // Equal values are ordered by id. An index with further columns orders them by these, so it is the last choice.
        if let Some(order) = order {
            let ends_with_order = |candidate: &Candidate| {
                let columns = layout.indexes.get(candidate.index).map(|index| &index.columns[..]);
                columns.and_then(<[usize]>::last) == Some(&order.column)
            };
            if candidates.iter().any(ends_with_order) {
                candidates.retain(ends_with_order);
            }
        }
        let all = candidates.clone();
        candidates.retain(|candidate| !all.iter().any(|other| is_better(layout, other, candidate)));
        if candidates.is_empty() {
            return Err(no_index(layout, order));
        }
        if descending {
            candidates.iter_mut().for_each(|candidate| candidate.ranges.reverse());
        }
        Ok(Plan { candidates, descending })
    }
}

/// Returns whether `other` never has more entries to walk than `candidate`, so that there is nothing to choose.
fn is_better(layout: &Layout, other: &Candidate, candidate: &Candidate) -> bool {
    if !other.tested.iter().all(|position| candidate.tested.contains(position)) {
        return false;
    }
    // Both cover the same conditions: the one with the shorter entries, then the first.
    let size = |candidate: &Candidate| {
        let columns = layout.indexes.get(candidate.index).map_or(0, |index| index.columns.len());
        (columns, candidate.index)
    };
    other.tested.len() < candidate.tested.len() || size(other) < size(candidate)
}

/// Returns how an index can be walked for a query, if it has an entry for each record that matches, in the order.
fn candidate(
    layout: &Layout,
    (at, index): (usize, &Index),
    conditions: &[Condition],
    order: Option<Order>,
) -> Option<Candidate> {
    let condition_on = |column: usize| conditions.iter().position(|condition| condition.column == column);
    let orders = |column: usize| order.is_some_and(|order| order.column == column);
    // A record without a value in one of the columns has no entry.
    let may_have_no_entry = |column: &usize| {
        let has_value = condition_on(*column).is_some() || orders(*column);
        !has_value && layout.columns.get(*column).is_none_or(|column| column.optional || column.many)
    };
    if index.columns.iter().any(may_have_no_entry) {
        return None;
    }
    let mut is_ordered = order.is_none();
    // The values of the columns so far, each followed by NUL.
    let mut before = vec![String::new()];
    let mut ranges = None;
    let mut covered = Vec::new();
    for &column in &index.columns {
        is_ordered |= orders(column);
        let Some(position) = condition_on(column) else { break };
        let condition = conditions.get(position)?;
        match condition.values() {
            Some(values) if before.len() * values.len() <= MAX_PRODUCT => {
                let longer =
                    |before: &String| values.iter().map(|value| format!("{before}{value}\0")).collect::<Vec<_>>();
                before = before.iter().flat_map(longer).collect();
                covered.push(position);
                if !is_ordered && before.len() > 1 {
                    return None;
                }
            }
            _ => {
                let behind =
                    |before: &String| condition.ranges.iter().map(|range| range.behind(before)).collect::<Vec<_>>();
                ranges = Some(before.iter().flat_map(behind).collect::<Vec<_>>());
                covered.push(position);
                break;
            }
        }
    }
    if !is_ordered {
        return None;
    }
    let is_exact = ranges.is_none() && covered.len() == index.columns.len();
    let partitions = if is_exact && index.unique { partitions_of(layout, &before) } else { every_partition(layout) };
    let ranges = ranges.unwrap_or_else(|| before.into_iter().map(Bounds::prefix).collect());
    let tested = (0..conditions.len()).filter(|position| !covered.contains(position)).collect();
    Some(Candidate { index: at, ranges, tested, partitions })
}

fn every_partition(layout: &Layout) -> Vec<u32> {
    (0..layout.partitions.max(1)).collect()
}

/// Returns the partitions of values, each followed by NUL, in an index that is split by value.
fn partitions_of(layout: &Layout, values: &[String]) -> Vec<u32> {
    let mut partitions: Vec<_> =
        values.iter().map(|value| layout.partition_of(value.strip_suffix('\0').unwrap_or(value))).collect();
    partitions.sort_unstable();
    partitions.dedup();
    partitions
}

#[cold]
fn no_index(layout: &Layout, order: Option<Order>) -> Error {
    let message = match order.and_then(|order| layout.columns.get(order.column)) {
        Some(column) => format!(
            "no index has this order: write `#[redis(index)]` on the field `{}`, or compare the fields before it in its index with `eq`",
            column.name
        ),
        None => String::from(
            "no index has an entry for each record: compare a field that has an index of its own, or the first fields of a \
             compound one; order by a field; or use `scan` to read all records",
        ),
    };
    Error::new(ErrorKind::InvalidInput, message).about(layout.model, layout.prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::LayoutBuilder;

    struct Model;

    fn layout() -> &'static Layout {
        Layout::of::<Model>(|layout| {
            layout.model("User", "user");
            layout.column::<String>("country");
            layout.column::<String>("age");
            layout.column::<Option<String>>("nick");
            layout.column::<String>("email");
            layout.index(&["country"], false);
            layout.index(&["country", "age"], false);
            layout.index(&["country", "nick"], false);
            layout.index(&["email"], true);
        })
    }

    fn column(name: &str) -> usize {
        layout().column(name).unwrap()
    }

    fn eq(name: &str, value: &str) -> Condition {
        Condition::any_of(column(name), [value.to_owned()])
    }

    fn names(conditions: &[Condition], order: Option<Order>) -> Result<Vec<String>> {
        let plan = Plan::new(layout(), conditions, order)?;
        let name = |candidate: &Candidate| layout().indexes.get(candidate.index).unwrap().name.clone();
        Ok(plan.candidates.iter().map(name).collect())
    }

    fn by_age() -> Option<Order> {
        Some(Order { column: column("age"), descending: false })
    }

    #[test]
    fn indexes_that_have_every_record() {
        assert_eq!(names(&[eq("country", "tr")], None).unwrap(), ["country"]);
        assert_eq!(names(&[eq("country", "tr"), eq("age", "6")], None).unwrap(), ["country+age"]);
        // Either can have fewer entries.
        assert_eq!(names(&[eq("country", "tr"), eq("email", "ada")], None).unwrap(), ["country", "email"]);
        // The records without a nick are not in its index, so it is walked only if there is a condition on it.
        assert_eq!(names(&[eq("country", "tr"), eq("nick", "x")], None).unwrap(), ["country+nick"]);
        // Nothing limits an index: all of one is walked.
        assert_eq!(names(&[], None).unwrap(), ["country"]);
        assert_eq!(names(&[eq("age", "6")], None).unwrap(), ["country"]);
    }

    #[test]
    fn an_index_orders_behind_single_values() {
        assert_eq!(names(&[eq("country", "tr")], by_age()).unwrap(), ["country+age"]);
        let two = Condition::any_of(column("country"), ["tr".to_owned(), "us".to_owned()]);
        let error = names(&[two], by_age()).unwrap_err();
        assert!(error.is_invalid_input() && error.message().contains("`age`"), "{error}");
        assert!(names(&[], by_age()).is_err());
    }

    #[test]
    fn ranges_of_several_columns() {
        let two = Condition::any_of(column("country"), ["us".to_owned(), "tr".to_owned()]);
        let ages = Condition::range(
            column("age"),
            Bounds { lower: super::super::Edge::Included("6".into()), upper: super::super::Edge::Unbounded },
        );
        let plan = Plan::new(layout(), &[two, ages], None).unwrap();
        let compound = plan.candidates.iter().find(|candidate| candidate.index == 1).unwrap();
        let arguments: Vec<_> =
            compound.ranges.iter().map(|range| (range.lower.to_argument(), range.upper.to_argument())).collect();
        let expected = [("itr\u{0}6", "ptr\u{0}"), ("ius\u{0}6", "pus\u{0}")];
        assert_eq!(arguments, expected.map(|(lower, upper)| (lower.to_owned(), upper.to_owned())));
        assert!(compound.tested.is_empty());
        assert_eq!(plan.candidates.len(), 1, "the index of the country alone has as many entries or more");
    }

    #[test]
    fn a_unique_value_is_in_one_partition() {
        struct Partitioned;
        let layout = Layout::of::<Partitioned>(|layout: &mut LayoutBuilder| {
            layout.model("User", "user");
            layout.column::<String>("email");
            layout.index(&["email"], true);
            layout.partitions(16);
        });
        let plan = Plan::new(layout, &[Condition::any_of(0, ["ada".to_owned()])], None).unwrap();
        assert_eq!(plan.candidates[0].partitions, [layout.partition_of("ada")]);
        let range = Condition::range(0, Bounds::prefix("a".into()));
        assert_eq!(Plan::new(layout, &[range], None).unwrap().candidates[0].partitions.len(), 16);
    }
}
