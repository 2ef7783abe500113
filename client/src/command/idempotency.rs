//! What executing a command twice would do.

/// Whether a request that may have been executed can be sent again. A higher value is less safe to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Idempotency {
    /// The command changes nothing.
    ReadOnly,
    /// The server keeps the outcome of the command, and answers a repetition with it, whatever others wrote in between.
    Once,
    /// Executed twice in a row, the command leaves the same data and returns the same reply.
    Idempotent,
    /// A second execution changes the data again, or returns another reply.
    NonIdempotent,
}

impl Idempotency {
    /// Whether the command changes data.
    pub(crate) fn writes(self) -> bool {
        self != Idempotency::ReadOnly
    }
}
