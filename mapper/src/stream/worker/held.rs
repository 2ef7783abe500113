//! An entry that a worker holds, and what can happen to it.

use std::time::Duration;

use super::failure::Failure;
use super::turn::{Fields, Ticket};

/// How an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits until a handler is free.
    Queued,
    /// A request that starts it is to be sent, or under way.
    Starting,
    Running,
    /// It has failed, and waits for its delay.
    Waiting,
    /// A request that ends it is to be sent, or under way.
    Settling,
}

/// An entry that the worker holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) stage: Stage,
    /// Its delivery count: how often its handling has begun.
    pub(super) attempts: u64,
    pub(super) fields: Fields,
    /// Whether it is known not to be that of the worker any more. It ends when its handler does.
    pub(super) is_lost: bool,
    /// Whether it was removed from its stream. Nobody else can have it, so what its handler does counts.
    pub(super) is_trimmed: bool,
    /// Whether an earlier request may have started it, whose reply was lost.
    pub(super) may_be_started: bool,
    /// Whether a unit of work with its acknowledgement may have been committed.
    pub(super) may_be_committed: bool,
    /// Why it is to be a dead letter, which the server has refused so far.
    pub(super) is_dead_because: Option<String>,
}

impl Held {
    pub(super) fn queued(fields: Fields) -> Held {
        Held {
            stage: Stage::Queued,
            attempts: 0,
            fields,
            is_lost: false,
            is_trimmed: false,
            may_be_started: false,
            may_be_committed: false,
            is_dead_because: None,
        }
    }
}

/// An entry to handle now.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) ticket: Ticket,
    pub(super) attempt: u64,
    pub(super) fields: Fields,
}

/// How a handler has ended.
#[derive(Debug)]
pub(super) enum Ended {
    Handled,
    /// It was acknowledged together with a unit of work.
    Committed,
    /// The unit of work was not committed, because the entry is not that of the worker any more.
    Fenced,
    Failed {
        failure: Failure,
        /// Whether a unit of work may have been committed.
        may_be_committed: bool,
    },
}

/// What follows.
#[derive(Debug)]
pub(super) enum Next {
    Handle(Start),
    /// The entry is queued again after this time.
    Wait(Ticket, Duration),
}

/// What a poll has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The request was no poll.
    NotAsked,
    Nothing,
    Some,
    AsManyAsAsked,
}
