//! When a worker asks for entries, and how long it waits before it tries something again.

use std::time::Duration;

use super::options::Options;

/// The waits between polls: short after entries have come, and twice as long after each poll without any, up to a maximum.
#[derive(Debug)]
pub(super) struct Pace {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Pace {
    pub(super) fn new(shortest: Duration, longest: Duration) -> Self {
        Pace { shortest, longest, next: shortest }
    }

    /// Sets the shortest and the longest wait.
    pub(super) fn set(&mut self, shortest: Duration, longest: Duration) {
        (self.shortest, self.longest) = (shortest, longest.max(shortest));
        self.next = self.next.clamp(self.shortest, self.longest);
    }

    /// Returns how long to wait after a poll.
    pub(super) fn after(&mut self, has_found: bool) -> Duration {
        if has_found {
            self.next = self.shortest;
            return self.shortest;
        }
        let wait = self.next;
        self.next = self.next.saturating_mul(2).min(self.longest);
        wait
    }
}

/// Returns how long an entry waits after its `attempt`th failure, counted from 1: twice as long after each.
pub(super) fn retry_delay(options: &Options, attempt: u64) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(31);
    options.retry_delay.saturating_mul(1 << doublings).min(options.longest_retry_delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_become_rare_and_frequent_again() {
        let mut pace = Pace::new(Duration::from_millis(100), Duration::from_millis(500));
        let waits: Vec<_> = [false, false, false, false, false, true, false, false]
            .map(|has_found| pace.after(has_found).as_millis())
            .to_vec();
        assert_eq!(waits, [100, 200, 400, 500, 500, 100, 100, 200]);
    }

    #[test]
    fn each_failure_doubles_the_delay_up_to_the_longest() {
        let options = Options {
            retry_delay: Duration::from_secs(1),
            longest_retry_delay: Duration::from_secs(5),
            ..Options::default()
        };
        let delays: Vec<_> = [1, 2, 3, 4, 400].map(|attempt| retry_delay(&options, attempt).as_secs()).to_vec();
        assert_eq!(delays, [1, 2, 4, 5, 5]);
    }
}
