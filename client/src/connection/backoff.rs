//! The wait before the next attempt.

use std::time::Duration;

/// Exponential backoff with full jitter: a uniformly random time up to `base * 2^n` before retry `n`, counted from 0, and
/// at most `cap`.
pub(crate) fn delay(base: Duration, cap: Duration, n: u32, random: f64) -> Duration {
    base.saturating_mul(2_u32.saturating_pow(n)).min(cap).mul_f64(random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(50);
    const CAP: Duration = Duration::from_secs(2);

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let ceilings = [0, 1, 2, 5, 6, 40].map(|n| delay(BASE, CAP, n, 1.0).as_millis());
        assert_eq!(ceilings, [50, 100, 200, 1600, 2000, 2000]);
    }

    #[test]
    fn jitter_covers_the_whole_range() {
        assert_eq!(delay(BASE, CAP, 1, 0.0), Duration::ZERO);
        assert_eq!(delay(BASE, CAP, 1, 0.25), Duration::from_millis(25));
    }
}
