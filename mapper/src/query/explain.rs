//! The plan of a query, for people.

use std::fmt;

use super::condition::{Bounds, Condition, Edge};
use super::plan::{Candidate, Plan};
use crate::index::{ColumnKind, Layout};

/// How a query is executed: what [`Query::explain`](crate::Query::explain) returns.
///
/// `Display` shows all of it, with the values of the conditions:
///
/// ```text
/// User: walks country+age from ("tr", 18) to below ("tr", 30), ascending: about 120 entries
/// tests on each row: tags at "admin"
/// could also walk tags: about 4000 entries
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explain {
    index: String,
    entries: u64,
    text: String,
}

impl Explain {
    /// Returns the name of the index that is walked: the name of its field, or the names of its fields joined by `+`.
    #[must_use]
    pub fn index(&self) -> &str {
        &self.index
    }

    /// Returns how many entries the index has in the ranges that are walked: the most that the query looks at. A record with
    /// several values can have several entries.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Describes a plan. `counts` has the number of entries for each candidate.
    pub(crate) fn new(layout: &Layout, conditions: &[Condition], plan: &Plan, chosen: usize, counts: &[u64]) -> Self {
        let name = |candidate: &Candidate| layout.indexes.get(candidate.index).map_or("", |index| index.name.as_str());
        let count = |at: usize| counts.get(at).copied().unwrap_or_default();
        let mut explain = Explain { index: String::new(), entries: count(chosen), text: String::new() };
        let Some(candidate) = plan.candidates.get(chosen) else { return explain };
        explain.index = name(candidate).to_owned();
        let columns = layout.indexes.get(candidate.index).map_or(&[][..], |index| index.columns.as_slice());
        let direction = if plan.descending { "descending" } else { "ascending" };
        let ranges = shown_ranges(layout, columns, &candidate.ranges);
        let mut lines = vec![format!(
            "{}: walks {} {ranges}, {direction}: about {} entries",
            layout.model, explain.index, explain.entries
        )];
        for condition in candidate.tested.iter().filter_map(|position| conditions.get(*position)) {
            let column = layout.columns.get(condition.column).map_or("", |column| column.name);
            lines.push(format!(
                "tests on each row: {column} {}",
                shown_ranges(layout, &[condition.column], &condition.ranges)
            ));
        }
        for (at, other) in plan.candidates.iter().enumerate().filter(|(at, _)| *at != chosen) {
            lines.push(format!("could also walk {}: about {} entries", name(other), count(at)));
        }
        explain.text = lines.join("\n");
        explain
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The most ranges that are shown.
const MAX_SHOWN: usize = 5;

fn shown_ranges(layout: &Layout, columns: &[usize], ranges: &[Bounds]) -> String {
    let mut shown: Vec<_> = ranges.iter().take(MAX_SHOWN).map(|range| shown_range(layout, columns, range)).collect();
    if ranges.len() > MAX_SHOWN {
        shown.push(format!("{} more", ranges.len() - MAX_SHOWN));
    }
    shown.join(" or ")
}

fn shown_range(layout: &Layout, columns: &[usize], range: &Bounds) -> String {
    let values = |text: &str| shown_values(layout, columns, text);
    match (&range.lower, &range.upper) {
        (Edge::Unbounded, Edge::Unbounded) => String::from("over all entries"),
        (Edge::Included(lower), Edge::Included(upper)) if lower == upper => format!("at {}", values(lower)),
        (Edge::Prefix(lower), Edge::Prefix(upper)) if lower == upper => match lower.strip_suffix('\0') {
            Some(whole) => format!("at {}", values(whole)),
            None => format!("with the prefix {}", values(lower)),
        },
        (lower, upper) => {
            let mut ends = Vec::new();
            match lower {
                Edge::Unbounded => {}
                Edge::Included(value) => ends.push(format!("from {}", values(value))),
                Edge::Excluded(value) => ends.push(format!("after {}", values(value))),
                Edge::Prefix(prefix) => ends.push(format!("from {}", values(prefix.trim_end_matches('\0')))),
            }
            match upper {
                Edge::Unbounded => {}
                Edge::Included(value) => ends.push(format!("to {}", values(value))),
                Edge::Excluded(value) => ends.push(format!("to below {}", values(value))),
                Edge::Prefix(prefix) => ends.push(format!("to the last of {}", values(prefix.trim_end_matches('\0')))),
            }
            ends.join(" ")
        }
    }
}

/// Shows the values of an entry: `("tr", 18)`.
fn shown_values(layout: &Layout, columns: &[usize], text: &str) -> String {
    let kinds = columns.iter().map(|column| layout.columns.get(*column).map_or(ColumnKind::Text, |column| column.kind));
    let values: Vec<_> = text.split('\0').zip(kinds).map(|(value, kind)| shown_value(kind, value)).collect();
    match values.as_slice() {
        [value] => value.clone(),
        values => format!("({})", values.join(", ")),
    }
}

/// Decodes one value.
fn shown_value(kind: ColumnKind, encoded: &str) -> String {
    match kind {
        ColumnKind::Text => {
            let text =
                encoded.replace("\u{1}\u{3}", "\0").replace("\u{1}\u{5}", "\u{2}").replace("\u{1}\u{4}", "\u{1}");
            format!("{text:?}")
        }
        ColumnKind::Integer => shown_integer(encoded).unwrap_or_else(|| encoded.to_owned()),
        ColumnKind::Float => shown_float(encoded).unwrap_or_else(|| encoded.to_owned()),
    }
}

/// Returns the digits after the sign, as they are for positive numbers.
fn digits(encoded: &str) -> Option<(bool, String)> {
    let (negative, digits) = match encoded.split_at_checked(1)? {
        ("6", digits) => (false, digits.to_owned()),
        ("4", digits) => (true, digits.bytes().map(|digit| char::from(b'9'.saturating_sub(digit) + b'0')).collect()),
        _ => return None,
    };
    Some((negative, digits))
}

fn shown_integer(encoded: &str) -> Option<String> {
    let (negative, digits) = digits(encoded)?;
    let sign = if negative { "-" } else { "" };
    Some(format!("{sign}{}", digits.get(2..)?))
}

fn shown_float(encoded: &str) -> Option<String> {
    match encoded {
        "3" => return Some(String::from("-inf")),
        "5" => return Some(String::from("0")),
        "7" => return Some(String::from("inf")),
        _ => {}
    }
    let (negative, digits) = digits(encoded)?;
    let exponent: i32 = digits.get(..4)?.parse().ok()?;
    let mantissa: f64 = digits.get(4..)?.parse().ok()?;
    // In two steps, because 2 to the exponent of a subnormal number is 0.
    let number = mantissa * 2_f64.powi(-53) * 2_f64.powi((exponent - 1100) / 2);
    let number = number * 2_f64.powi((exponent - 1100) - (exponent - 1100) / 2);
    Some(if negative { -number } else { number }.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::encode;

    #[test]
    fn values_are_shown_as_they_were() {
        for number in [0, 7, -7, i64::MAX, i64::MIN] {
            let mut encoded = String::new();
            encode::push_integer(&number.to_string(), &mut encoded);
            assert_eq!(shown_value(ColumnKind::Integer, &encoded), number.to_string());
        }
        for number in [0.0, 1.5, -1.5, f64::MAX, f64::MIN_POSITIVE, 5e-324, -0.1, f64::INFINITY, f64::NEG_INFINITY] {
            let mut encoded = String::new();
            encode::push_float(number, &mut encoded);
            assert_eq!(shown_value(ColumnKind::Float, &encoded), number.to_string());
        }
        let text = "a\0b\u{1}\u{2}\u{3}";
        let mut encoded = String::new();
        encode::push_text(text, &mut encoded);
        assert_eq!(shown_value(ColumnKind::Text, &encoded), format!("{text:?}"));
    }
}
