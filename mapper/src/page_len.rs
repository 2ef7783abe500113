//! How many entries or elements a page has.

use redis_rest::{Error, ErrorKind};

/// The most that is asked for at once.
const MAX: u64 = 500;

/// How many to ask for: fewer after a page that was too large for one reply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageLen(u64);

impl Default for PageLen {
    fn default() -> Self {
        PageLen(MAX)
    }
}

impl PageLen {
    pub(crate) fn get(self) -> u64 {
        self.0
    }

    /// Divides the page. Returns whether that can help: the reply was too large, and had several entries.
    pub(crate) fn divide(&mut self, error: &Error) -> bool {
        let helps = error.kind() == ErrorKind::TooLarge && self.0 > 1;
        self.0 = if helps { (self.0 / 8).max(1) } else { self.0 };
        helps
    }

    /// Asks for more again. Slowly, so that few replies are too large.
    pub(crate) fn grow(&mut self) {
        self.0 = (self.0 + self.0 / 8 + 1).min(MAX);
    }
}
