//! Operations on records, and what is told about them.

use crate::schema::{Fields, Table, Val};

/// Two moments in milliseconds between which something happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// The milliseconds that a server's clock may differ from ours: Redis 7.0 uses one that it reads now and then.
const EDGE: i64 = 3;

impl Span {
    pub(crate) fn plus(self, millis: i64) -> Span {
        Span { from: self.from + millis, to: self.to + millis }
    }

    /// Whether it is over at `now`; `None` near the edge.
    pub(crate) fn is_over(self, now: Span) -> Option<bool> {
        if now.from > self.to + EDGE {
            Some(true)
        } else if now.to < self.from - EDGE {
            Some(false)
        } else {
            None
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Life {
    Keep,
    Set(i64),
    Persist,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    Insert,
    Save,
    Update,
}

#[derive(Debug, Clone)]
pub(crate) enum Change {
    Set(Val),
    SetIfAbsent(Val),
    Clear,
    Incr(i64),
    IncrFloat(f64),
    Append(String),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct PatchSpec {
    pub(crate) changes: Vec<(&'static str, Change)>,
    pub(crate) conditions: Vec<(&'static str, Val)>,
    pub(crate) version: Option<i64>,
    pub(crate) returning: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Put {
        mode: Mode,
        fields: Fields,
        version: Option<i64>,
    },
    Patch(PatchSpec),
    Delete,
    /// In a unit, the record must exist.
    Expire {
        must_exist: bool,
    },
}

/// An operation on one record.
#[derive(Debug, Clone)]
pub(crate) struct Op {
    pub(crate) table: Table,
    pub(crate) id: String,
    pub(crate) what: What,
    pub(crate) life: Life,
}

/// What the client adds to a write, or sends on its own, to mend what others have changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mend {
    /// Writes the row of a record.
    Index(Table, String),
    /// Removes the row of a record that is gone.
    Purge(Table, String),
}

/// What a script answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// And whether each operation has created, removed or found something.
    Ok(Vec<bool>),
    Refused {
        why: String,
        details: Vec<String>,
    },
}

/// What an operation did, as its caller is told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Did {
    /// Created, deleted, had a time to live. `None` near the edge of an expiry.
    pub(crate) happened: Option<bool>,
    pub(crate) version: Option<i64>,
    pub(crate) returned: Vec<Val>,
}
