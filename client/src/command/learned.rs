//! What a connection has learned about its server, which decides the form in which scripts are sent.

use std::sync::atomic::{AtomicU8, Ordering};

/// The text in which a script that declares all its keys is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Dialect {
    /// As it was written, which every server takes.
    Plain = 1,
    /// With a first line that makes the service lock these keys instead of the whole database. Other servers refuse it.
    Locking = 2,
}

/// What the clones of a client have learned from the replies of their server. It starts empty, and is never asked for.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// A [`Dialect`]; 0 if it is unknown.
    dialect: AtomicU8,
}

impl Learned {
    /// The dialect that the server understands, if it is known.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        match self.dialect.load(Ordering::Relaxed) {
            1 => Some(Dialect::Plain),
            2 => Some(Dialect::Locking),
            _ => None,
        }
    }

    /// Remembers the first dialect that the server has shown to understand. A script can return an error that reads like a
    /// refusal, so what is known stays known.
    pub(crate) fn set_dialect(&self, dialect: Dialect) {
        let _ = self.dialect.compare_exchange(0, dialect as u8, Ordering::Relaxed, Ordering::Relaxed);
    }
}
