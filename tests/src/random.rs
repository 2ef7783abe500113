//! Random numbers that a seed repeats, and seeds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A generator (`SplitMix64`) that draws the same numbers for the same seed everywhere.
#[derive(Debug)]
pub struct Random(AtomicU64);

impl Random {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Self {
        Random(AtomicU64::new(seed))
    }

    /// Draws any number.
    pub fn next(&self) -> u64 {
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws a number from 0 to below `end`, which is positive.
    pub fn below<N: TryInto<u64> + TryFrom<u64>>(&self, end: N) -> N {
        let end: u64 = end.try_into().ok().expect("not negative");
        N::try_from(self.next() % end).ok().expect("less than the end")
    }

    /// Returns true in one of so many cases.
    pub fn one_in(&self, cases: u64) -> bool {
        self.below(cases) == 0
    }

    /// Returns true in so many of a hundred cases.
    pub fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Draws one of these.
    pub fn pick<T: Clone>(&self, items: &[T]) -> T {
        items.get(self.below(items.len())).expect("an index below the length").clone()
    }
}

/// The number in a variable of the environment, if that is set.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// The seed in this variable of the environment, or else one of the time. It is printed, so that a failure can be repeated.
pub fn seed(name: &str) -> u64 {
    let seed = number(name).unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").subsec_nanos().into()
    });
    eprintln!("{name}={seed}");
    seed
}
