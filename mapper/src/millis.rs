//! Durations as scripts and commands take them.

use std::time::Duration;

/// Returns a duration in whole milliseconds, rounded up: nothing is removed, forgotten or taken over before the time
/// is over, and a duration that is not 0 does not become 0, which often means something else. Redis takes no larger
/// number than the longest that this returns.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).min(u64::MAX >> 1)
}
