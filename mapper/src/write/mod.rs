//! Writes of records whose indexes a script keeps: operations on any models, all or nothing, in one command.

mod arguments;
mod operation;
mod outcome;
mod script;

pub(crate) use self::operation::Returned;
pub(crate) use self::operation::{Action, Change, Condition, FieldChange, Lifetime, Mode, Operation};
pub(crate) use self::outcome::{Netstrings, Outcome, is_fenced, malformed, refusal_of_layout};
pub(crate) use self::script::{OwnedEntry, RowOf, command, failed, lone, together, with_entry};
