//! Which fields and values the conditions of a query take.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::ops::{Bound, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use crate::index::{IndexField, IndexValue};
use crate::value_for::ValueFor;

/// A field that has at most one value: it can be compared, and it can order the records.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds several values, of which none is the one to compare",
    label = "a field of several values",
    note = "use `contains`: it finds the records that have a certain element"
)]
pub trait SingleField: IndexField {}

impl<V: IndexValue> SingleField for V {}
impl<V: IndexValue> SingleField for Option<V> {}

/// A field that holds any number of values, each of which has an entry in the index: a `Vec` or a set.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold several values",
    label = "not a `Vec` and not a set",
    note = "use `eq` to compare the value, or `prefix` for the start of a text"
)]
pub trait SequenceField: IndexField {}

macro_rules! sequences {
    ($($sequence:ty $(, $hasher:ident)?;)*) => {$(
        impl<V: IndexValue $(, $hasher)?> SequenceField for $sequence {}
        impl<V: IndexValue $(, $hasher)?> SequenceField for Option<$sequence> {}
    )*};
}

sequences! { Vec<V>; VecDeque<V>; BTreeSet<V>; HashSet<V, S>, S; }

impl<V: IndexValue> SequenceField for Box<[V]> {}

/// A value that is text, of which queries can find a prefix. `String` and its like are. So is a newtype of text that
/// implements `AsRef<str>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text, so it has no prefix",
    label = "not a field of text",
    note = "use `range` for values between two others; a newtype of text has prefixes if it implements `AsRef<str>`"
)]
pub trait TextValue: IndexValue {}

impl<V: IndexValue + AsRef<str>> TextValue for V {}

/// A range of values for a field whose values are `V`: `18..30`, `18..=30`, `18..`, `..30`, `..`, or a pair of
/// [`Bound`]s, which can also exclude the start.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a range of `{V}`",
    label = "expected a range such as `a..b`, `a..=b`, `a..` or `..b` of `{V}`",
    note = "a pair of `std::ops::Bound` excludes the start: `(Bound::Excluded(a), Bound::Unbounded)`"
)]
pub trait RangeFor<V> {
    /// Calls `with` with both ends.
    #[doc(hidden)]
    fn with_bounds<R>(self, with: impl FnOnce(Bound<&V>, Bound<&V>) -> R) -> R;
}

fn with_bounds<V, A: ValueFor<V>, R>(
    start: Bound<A>,
    end: Bound<A>,
    with: impl FnOnce(Bound<&V>, Bound<&V>) -> R,
) -> R {
    with_bound(start, |start| with_bound(end, |end| with(start, end)))
}

fn with_bound<V, A: ValueFor<V>, R>(bound: Bound<A>, with: impl FnOnce(Bound<&V>) -> R) -> R {
    match bound {
        Bound::Included(value) => value.with_value(|value| with(Bound::Included(value))),
        Bound::Excluded(value) => value.with_value(|value| with(Bound::Excluded(value))),
        Bound::Unbounded => with(Bound::Unbounded),
    }
}

macro_rules! ranges {
    ($($range:ty: $ends:expr;)*) => {$(
        impl<V, A: ValueFor<V>> RangeFor<V> for $range {
            fn with_bounds<R>(self, with: impl FnOnce(Bound<&V>, Bound<&V>) -> R) -> R {
                let (start, end) = $ends(self);
                with_bounds(start, end, with)
            }
        }
    )*};
}

ranges! {
    Range<A>: |range: Self| (Bound::Included(range.start), Bound::Excluded(range.end));
    RangeInclusive<A>: |range: Self| {
        let (start, end) = range.into_inner();
        (Bound::Included(start), Bound::Included(end))
    };
    RangeFrom<A>: |range: Self| (Bound::Included(range.start), Bound::Unbounded);
    RangeTo<A>: |range: Self| (Bound::Unbounded, Bound::Excluded(range.end));
    RangeToInclusive<A>: |range: Self| (Bound::Unbounded, Bound::Included(range.end));
    (Bound<A>, Bound<A>): |range: Self| range;
}

impl<V> RangeFor<V> for RangeFull {
    fn with_bounds<R>(self, with: impl FnOnce(Bound<&V>, Bound<&V>) -> R) -> R {
        with(Bound::Unbounded, Bound::Unbounded)
    }
}
