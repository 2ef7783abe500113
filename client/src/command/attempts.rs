//! Whether a command may have been executed: the one place that decides it.

use super::idempotency::Idempotency;
use crate::error::Error;
use crate::wire::tape::Tape;

/// What is known about the attempts at one request. It accompanies the replies, or is recorded in the
/// error.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attempts {
    count: u32,
    /// Whether the outcome of an attempt is unknown, or a part of the request was executed.
    may_have_executed: bool,
}

/// The replies to one request, and the attempts it took to get them.
#[derive(Debug)]
pub struct Received {
    pub(crate) tape: Tape,
    pub(crate) attempts: Attempts,
}

impl Attempts {
    /// The number of attempts so far.
    pub(crate) fn count(self) -> u32 {
        self.count
    }

    /// These attempts and one more, which was answered.
    pub(crate) fn and_answered(self) -> Self {
        Attempts { count: self.count.saturating_add(1), ..self }
    }

    /// These attempts and one more, which ended in `error`.
    pub(crate) fn and_failed(self, error: &Error) -> Self {
        Attempts {
            count: self.count.saturating_add(1),
            may_have_executed: self.may_have_executed || error.is_uncertain(),
        }
    }

    /// The same attempts, of which one is assumed to have executed the request.
    pub(crate) fn assume_executed(self) -> Self {
        Attempts { may_have_executed: true, ..self }
    }

    /// The same attempts, whose outcome is known: the server keeps it, and has answered with it.
    pub(crate) fn and_settled(self) -> Self {
        Attempts { may_have_executed: false, ..self }
    }

    /// The attempts that `error` reports.
    pub(crate) fn of(error: &Error) -> Self {
        Attempts { count: error.attempts(), may_have_executed: error.may_have_executed() }
    }

    /// Adds to the error of a command, or of a whole request, what these attempts mean for it: reads never count as
    /// executed.
    pub(crate) fn record_in(self, error: Error, idempotency: Idempotency) -> Error {
        let is_unknown = self.may_have_executed && !error.is_settled();
        let executed = idempotency.writes() && (is_unknown || error.is_uncertain());
        error.with_attempts(self.count).with_may_have_executed(executed)
    }

    /// The error of one command of a request that failed as a whole.
    pub(crate) fn error_of_one(whole: &Error, idempotency: Idempotency) -> Error {
        whole.clone().with_may_have_executed(whole.may_have_executed() && idempotency.writes())
    }
}
