//! What a write does to each of its records.

use std::borrow::Cow;
use std::time::Duration;

use crate::index::Layout;
use crate::key::Key;
use crate::millis::millis;
use crate::pairs::FieldPairs;

/// What a write does to one record.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) layout: &'static Layout,
    pub(crate) key: Key,
    /// The part of the key that stands for the id.
    pub(crate) id: String,
    pub(crate) action: Action,
}

#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Writes all fields.
    Put {
        mode: Mode,
        fields: FieldPairs,
        version: Option<u64>,
        lifetime: Lifetime,
    },
    /// Changes some fields of a record that exists.
    Patch {
        /// The version that the record must have. The new one is stored whether or not there is a condition.
        version: Option<u64>,
        /// The largest one that fits the field.
        largest_version: u64,
        conditions: Vec<Condition>,
        changes: Vec<Change>,
        /// The names of the fields to return as they are after the change.
        returning: Vec<Returned>,
        lifetime: Lifetime,
    },
    Delete {
        version: Option<u64>,
        conditions: Vec<Condition>,
    },
    /// Changes the time to live of a record.
    Expire {
        lifetime: Lifetime,
        /// Whether to return all fields.
        load: bool,
        /// Whether the outcome is that nothing happened if there is no record, instead of an error.
        may_be_gone: bool,
    },
    /// Writes the row of a record, if its indexed fields are still as they were seen.
    Index {
        seen: Vec<Condition>,
        columns: Vec<(&'static str, String)>,
    },
    /// Removes the row of a record that does not exist any more.
    Purge,
    /// Appends events to a log, which the operation's key is that of.
    Append {
        events: Vec<FieldPairs>,
        /// Which entries the log keeps, as the script takes it.
        retention: [String; 4],
        /// Whether the last id is published.
        publishes: bool,
    },
}

/// Which records a full write accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// None may exist.
    Insert,
    /// Either way.
    Save,
    /// It must exist.
    Update,
}

/// What a write does to the time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    Keep,
    Set(Duration),
    Persist,
}

impl Lifetime {
    /// Returns the argument of the scripts: `keep`, `persist`, or milliseconds.
    pub(crate) fn text(self) -> Cow<'static, str> {
        match self {
            Lifetime::Keep => "keep".into(),
            Lifetime::Persist => "persist".into(),
            Lifetime::Set(ttl) => millis(ttl).to_string().into(),
        }
    }
}

/// The text that a field must have, or `None` if it must not exist.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) field: Cow<'static, str>,
    /// Earlier names of the field, which count if it does not exist under its own.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) text: Option<String>,
}

/// A field to return, and its earlier names.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Returned {
    pub(crate) field: &'static str,
    pub(crate) aliases: &'static [&'static str],
}

#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) field: Cow<'static, str>,
    /// Earlier names of the field. Its old value may stand under one of them; after the change, none of them exists.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) change: FieldChange,
}

/// What a patch does to one field. `column` is the new text of the field's column, if the field is in an index.
#[derive(Debug, Clone)]
pub(crate) enum FieldChange {
    Set {
        text: String,
        column: Option<String>,
    },
    SetIfAbsent {
        text: String,
        column: Option<String>,
    },
    Clear,
    /// Adds an integer, within the bounds of the field's type. All are decimal texts.
    Increment {
        by: String,
        min: String,
        max: String,
    },
    IncrementFloat {
        by: f64,
    },
    /// Appends to a text. If the field is in an index, the script encodes the new text.
    Append {
        text: String,
    },
}
