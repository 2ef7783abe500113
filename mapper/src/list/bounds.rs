//! Ranges of indexes, as the commands take them.

use std::ops::{Bound, RangeBounds};

/// Returns a range as the first and the last index of LRANGE, both inclusive.
pub(super) fn bounds(range: &impl RangeBounds<i64>) -> (i64, i64) {
    const EMPTY: (i64, i64) = (1, 0);
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        // No element is after the last one. Adding 1 would make it 0, the first one.
        Bound::Excluded(-1) => return EMPTY,
        Bound::Excluded(&start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    match range.end_bound() {
        Bound::Unbounded => (start, -1),
        Bound::Included(&end) => (start, end),
        // No element is before the first one. Subtracting 1 would make it -1, the last one.
        Bound::Excluded(0) => EMPTY,
        Bound::Excluded(&end) => (start, end.saturating_sub(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_inclusive_in_redis() {
        assert_eq!(bounds(&(..)), (0, -1));
        assert_eq!(bounds(&(0..0)), (1, 0));
        assert_eq!(bounds(&(2..=4)), (2, 4));
        assert_eq!(bounds(&(..-1)), (0, -2));
        assert_eq!(bounds(&(-5..-2)), (-5, -3));
        assert_eq!(bounds(&(Bound::Excluded(-1), Bound::Unbounded)), (1, 0));
    }
}
