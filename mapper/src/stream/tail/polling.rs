//! How often a tail reads while nothing tells it to.

use std::time::Duration;

use crate::pace::{Pace, jittered};

/// How often a [`Tail`](crate::Tail), or a [projection that follows](crate::Projection::follow), asks for new entries.
///
/// | the tail | requests in an idle hour, by default |
/// | --- | --- |
/// | has a subscription that works | 60: a read each [`safety`](Polling::safety) interval |
/// | polls: no `publish`, or the subscription is broken | 720: a read each [`max`](Polling::max) interval |
///
/// While it polls, the wait after a read that found something is [`min`](Polling::min). It grows by
/// [`factor`](Polling::factor) with each read that finds nothing, up to `max`. All waits are random by a tenth, so
/// that tails that start together do not read together. The attempts to subscribe again come on top: one every minute
/// at most, after the first few. Each read is one `XREAD`, with an `XINFO STREAM` in the same request if it is the
/// first, if the log is empty, or if the last entry that was read has been removed.
///
/// ```
/// use std::time::Duration;
/// use redis_model::stream::Polling;
///
/// // 3600 requests in an idle hour
/// let eager = Polling::default().min(Duration::from_millis(20)).max(Duration::from_secs(1));
/// # let _ = eager;
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Polling {
    min: Duration,
    max: Duration,
    factor: f64,
    safety: Duration,
    spacing: Duration,
}

impl Default for Polling {
    /// From 100 ms to 5 s, by the factor 1.5. With a subscription, a read every minute. 10 ms from one read to the
    /// next.
    fn default() -> Self {
        Polling {
            min: Duration::from_millis(100),
            max: Duration::from_secs(5),
            factor: 1.5,
            safety: Duration::from_secs(60),
            spacing: Duration::from_millis(10),
        }
    }
}

/// Less than this would be a busy loop.
const SHORTEST: Duration = Duration::from_millis(1);

impl Polling {
    /// Sets the wait after a read that found something. It is at least 1 ms.
    #[must_use]
    pub fn min(mut self, min: Duration) -> Self {
        self.min = min.max(SHORTEST);
        self
    }

    /// Sets the longest wait without a working subscription. It counts as at least [`min`](Polling::min).
    #[must_use]
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max.max(SHORTEST);
        self
    }

    /// Sets by how much the wait grows with each read that finds nothing. It is at least 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = if factor.is_finite() { factor.max(1.0) } else { Polling::default().factor };
        self
    }

    /// Sets the wait between reads with a working subscription. These reads find what a lost wake-up would have
    /// announced.
    #[must_use]
    pub fn safety(mut self, safety: Duration) -> Self {
        self.safety = safety.max(SHORTEST);
        self
    }

    /// Sets the shortest time from the start of one read to that of the next. Wake-ups that arrive meanwhile share
    /// the next read. It does not apply to the pages of a history. It is at least 1 ms.
    #[must_use]
    pub fn spacing(mut self, spacing: Duration) -> Self {
        self.spacing = spacing.max(SHORTEST);
        self
    }
}

impl Polling {
    /// The waits between polls.
    pub(in crate::stream) fn pace(&self) -> Pace {
        Pace::new(self.min, self.max, self.factor)
    }

    /// The waits after failed reads.
    pub(in crate::stream) fn backoff(&self) -> Pace {
        Pace::new(self.min, LONGEST_AFTER_FAILURE.max(self.max), 2.0)
    }

    /// The wait before the next read with a working subscription.
    pub(in crate::stream) fn until_safe(&self) -> Duration {
        jittered(self.safety)
    }

    /// The shortest time between two reads.
    pub(in crate::stream) fn gap(&self) -> Duration {
        self.spacing
    }
}

const LONGEST_AFTER_FAILURE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_hour_costs_what_the_docs_say() {
        let Polling { max, safety, .. } = Polling::default();
        let hour = Duration::from_secs(3600);
        assert_eq!((hour.as_millis() / safety.as_millis(), hour.as_millis() / max.as_millis()), (60, 720));
    }

    #[test]
    fn no_setting_is_a_busy_loop() {
        let none = Polling::default().min(Duration::ZERO).max(Duration::ZERO).safety(Duration::ZERO).factor(0.0);
        let none = none.spacing(Duration::ZERO).factor(f64::NAN);
        assert!(none.min >= SHORTEST && none.safety >= SHORTEST && none.spacing >= SHORTEST);
        assert!(none.factor >= 1.0);
    }
}
