//! The scripts that compare the indexes of a model with its rows and records, and those that repair them: the parts of
//! `reindex` and `verify` that know no type of record.

mod script;
mod start;

pub(crate) use self::script::{Problem, Stored, What, entries, finish, records, rows};
pub(crate) use self::start::{find, start};
