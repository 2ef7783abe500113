//! How long to wait before the next poll, or the next attempt: each wait is longer than the one before, up to a limit.
//!
//! Waits are random by a tenth more or less, so that readers that were started together, or that failed together, do
//! not ask together for ever. On average they are as long as without that, so the documented numbers of requests hold.

use std::time::Duration;

/// The waits between polls, or between failed attempts.
#[derive(Debug)]
pub(crate) struct Pace {
    shortest: Duration,
    longest: Duration,
    factor: f64,
    next: Duration,
}

impl Pace {
    /// Creates a pace that begins at `shortest`. Each wait is `factor` times as long as the one before, up to
    /// `longest`, which counts as at least `shortest`.
    pub(crate) fn new(shortest: Duration, longest: Duration, factor: f64) -> Self {
        Pace { shortest, longest: longest.max(shortest), factor, next: shortest }
    }

    /// Sets the shortest and the longest wait.
    pub(crate) fn set(&mut self, shortest: Duration, longest: Duration) {
        (self.shortest, self.longest) = (shortest, longest.max(shortest));
        self.next = self.next.clamp(self.shortest, self.longest);
    }

    /// Makes the next wait the shortest one: something was found, or is expected, or an attempt has succeeded.
    pub(crate) fn quicken(&mut self) {
        self.next = self.shortest;
    }

    /// Returns the next wait, and slows down.
    pub(crate) fn next(&mut self) -> Duration {
        jittered(self.step())
    }

    /// Whether the waits are as long as they may be.
    pub(crate) fn is_slowest(&self) -> bool {
        self.next >= self.longest
    }

    fn step(&mut self) -> Duration {
        let wait = self.next;
        self.next = times(wait, self.factor).min(self.longest);
        wait
    }
}

/// Returns the wait after the `failures`th failure, counted from 1: twice as long after each, up to `longest`.
pub(crate) fn doubled(first: Duration, longest: Duration, failures: u64) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(31);
    first.saturating_mul(1 << doublings).min(longest)
}

/// Returns a random time from nine tenths to eleven tenths of `wait`.
pub(crate) fn jittered(wait: Duration) -> Duration {
    times(wait, 0.9 + 0.2 * redis_rest::random())
}

/// Returns a multiple, or the longest time if there is none.
fn times(wait: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(wait.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(pace: &mut Pace, count: usize) -> Vec<u128> {
        (0..count).map(|_| pace.step().as_millis()).collect()
    }

    #[test]
    fn it_slows_down_to_the_longest_wait_and_starts_again() {
        let mut pace = Pace::new(Duration::from_millis(100), Duration::from_millis(300), 1.5);
        assert_eq!(millis(&mut pace, 5), [100, 150, 225, 300, 300]);
        assert!(pace.is_slowest());
        pace.quicken();
        assert!(!pace.is_slowest());
        assert_eq!(millis(&mut pace, 2), [100, 150]);
        pace.set(Duration::from_secs(1), Duration::from_secs(2));
        assert_eq!(millis(&mut pace, 3), [1000, 1500, 2000]);
    }

    #[test]
    fn waits_differ_by_a_tenth_and_no_more() {
        let wait = Duration::from_secs(5);
        let waits: Vec<_> = (0..1000).map(|_| jittered(wait)).collect();
        assert!(waits.iter().all(|jittered| jittered.abs_diff(wait) <= wait / 10 + Duration::from_nanos(1)));
        let mean = waits.iter().sum::<Duration>() / 1000;
        assert!(waits.iter().any(|jittered| *jittered != wait) && mean.abs_diff(wait) < wait / 50, "{mean:?}");
    }

    #[test]
    fn no_setting_overflows() {
        let mut pace = Pace::new(Duration::MAX, Duration::ZERO, f64::MAX);
        assert!(pace.next() >= Duration::MAX / 2 && pace.step() == Duration::MAX);
        assert_eq!(Pace::new(Duration::ZERO, Duration::ZERO, 1.0).next(), Duration::ZERO);
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_longest() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(5));
        assert_eq!([1, 2, 3, 4, 400].map(|failures| doubled(first, longest, failures).as_secs()), [1, 2, 4, 5, 5]);
    }
}
