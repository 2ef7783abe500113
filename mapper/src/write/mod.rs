//! Writes of records whose indexes a script keeps: operations on any models, all or nothing, in one command.

mod operation;

pub(crate) use self::operation::{Action, Change, Condition, FieldChange, Lifetime, Mode, Operation};
