//! Writes of records whose indexes a script keeps: operations on any models, all or nothing, in one command.

mod arguments;
mod operation;
mod outcome;
mod script;

pub(crate) use self::operation::{Action, Change, Condition, FieldChange, Lifetime, Mode, Operation};
pub(crate) use self::outcome::{NoRow, refusal_of_layout};
pub use self::outcome::Outcome;
pub(crate) use self::script::{command, lone};
