//! How often a tail reads while nothing tells it to.

use std::time::Duration;

/// How often a [`Tail`](crate::Tail) asks for new entries.
///
/// | the tail | requests in an idle hour, by default |
/// | --- | --- |
/// | has a subscription that works | 60: a read each [`safety`](Polling::safety) interval |
/// | polls: the model does not publish, or the subscription is broken | 720: a read each [`max`](Polling::max) interval |
///
/// While it polls, the wait after a read that found something is [`min`](Polling::min). It grows by
/// [`factor`](Polling::factor) with each read that finds nothing, up to `max`. The attempts to subscribe again come on top: one
/// every minute at most, after the first few. Each read is one `XREAD`, with an `XINFO STREAM` in the same request if it is the
/// first, if the log is empty, or if the last entry that was read has been removed.
///
/// ```
/// use std::time::Duration;
/// use redis_model::Polling;
///
/// let eager = Polling::default().min(Duration::from_millis(20)).max(Duration::from_secs(1)); // 3600 idle requests an hour
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
    /// From 100 ms to 5 s, by the factor 1.5. With a subscription, a read every minute. 10 ms from one read to the next.
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

    /// Sets the wait between reads with a working subscription. These reads find what a lost wake-up would have announced.
    #[must_use]
    pub fn safety(mut self, safety: Duration) -> Self {
        self.safety = safety.max(SHORTEST);
        self
    }

    /// Sets the shortest time from the start of one read to that of the next. Wake-ups that arrive meanwhile share the next
    /// read. It does not apply to the pages of a history. It is at least 1 ms.
    #[must_use]
    pub fn spacing(mut self, spacing: Duration) -> Self {
        self.spacing = spacing.max(SHORTEST);
        self
    }
}

/// The waits between the reads of one tail.
#[derive(Debug)]
pub(super) struct Pace {
    polling: Polling,
    wait: Duration,
}

impl Pace {
    pub(super) fn new(polling: Polling) -> Self {
        Pace { polling, wait: polling.min }
    }

    /// Something was found, or is expected.
    pub(super) fn quicken(&mut self) {
        self.wait = self.polling.min;
    }

    /// Returns the wait before the next poll, and slows down.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.wait.min(self.slowest());
        self.wait = Duration::try_from_secs_f64(wait.as_secs_f64() * self.polling.factor).unwrap_or(self.slowest());
        wait
    }

    /// Whether it polls as seldom as it may.
    pub(super) fn is_slowest(&self) -> bool {
        self.wait >= self.slowest()
    }

    pub(super) fn safety(&self) -> Duration {
        self.polling.safety
    }

    pub(super) fn spacing(&self) -> Duration {
        self.polling.spacing
    }

    /// The wait after the read has failed so many times.
    pub(super) fn after_failure(&self, failures: u32) -> Duration {
        let doubled = self.polling.min.saturating_mul(2_u32.saturating_pow(failures));
        doubled.min(LONGEST_AFTER_FAILURE.max(self.slowest()))
    }

    fn slowest(&self) -> Duration {
        self.polling.max.max(self.polling.min)
    }
}

const LONGEST_AFTER_FAILURE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(pace: &mut Pace, count: usize) -> Vec<u128> {
        (0..count).map(|_| pace.next().as_millis()).collect()
    }

    #[test]
    fn it_slows_down_to_the_longest_wait_and_starts_again() {
        let mut pace = Pace::new(Polling::default());
        assert_eq!(millis(&mut pace, 4), [100, 150, 225, 337]);
        let _ = millis(&mut pace, 10);
        assert_eq!(millis(&mut pace, 2), [5000, 5000]);
        assert!(pace.is_slowest());
        pace.quicken();
        assert!(!pace.is_slowest() && pace.next() == Duration::from_millis(100));
    }

    #[test]
    fn an_idle_hour_costs_what_the_docs_say() {
        let pace = Pace::new(Polling::default());
        let hour = Duration::from_secs(3600);
        assert_eq!(hour.as_millis() / pace.safety().as_millis(), 60);
        assert_eq!(hour.as_millis() / pace.slowest().as_millis(), 720);
    }

    #[test]
    fn no_setting_is_a_busy_loop() {
        let none = Polling::default().min(Duration::ZERO).max(Duration::ZERO).safety(Duration::ZERO).factor(0.0);
        let mut pace = Pace::new(none.spacing(Duration::ZERO).factor(f64::NAN));
        assert!(millis(&mut pace, 3).iter().all(|wait| *wait >= 1));
        assert!(pace.safety() >= SHORTEST && pace.spacing() >= SHORTEST && pace.after_failure(0) >= SHORTEST);
        let mut one = Pace::new(Polling::default().max(Duration::ZERO).factor(f64::MAX));
        assert_eq!(millis(&mut one, 3), [100, 100, 100]);
    }

    #[test]
    fn failures_wait_longer_up_to_a_limit() {
        let pace = Pace::new(Polling::default());
        assert_eq!([0, 1, 3, 40].map(|n| pace.after_failure(n).as_millis()), [100, 200, 800, 30_000]);
    }
}
