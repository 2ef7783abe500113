//! The commands, one trait for each family of the Redis documentation.
//!
//! A family is a trait of provided methods over [`Executor`](crate::Executor): each command is declared once and
//! runs on every executor. A method has the command's own name; where a command has options, `name_with` takes them.
//!
//! | family | trait |
//! | --- | --- |
//! | generic: keys, whatever they hold | [`GenericCommands`] |
//! | string | [`StringCommands`] |
//! | hash | [`HashCommands`] |
//! | any command by its name | [`RawCommands`](crate::RawCommands) |
//!
//! # Which commands are retried
//!
//! The declaration of a command says whether it reads, is idempotent (twice in a row leaves the same data *and* gives
//! the same reply: `SET`, `MSET`, `EXPIRE`) or neither (`INCR`, `DEL`, `SET NX`). [`RetryPolicy`](crate::RetryPolicy)
//! says what follows from it.
//!
//! # Adding a command
//!
//! One method in its family's file, one golden test beside it in `tests/tests/golden`. See `ARCHITECTURE.md`.

mod expiry;
mod generic;
mod hash;
mod scan;
mod string;

pub use self::expiry::{ExpireCondition, Expiry, GetExpiry, SetExpiry, Ttl};
pub use self::generic::{CopyOptions, GenericCommands, KeyType, RestoreOptions};
pub use self::hash::{FieldExpire, FieldPersist, HSetExOptions, HashCommands};
pub use self::scan::{Cursor, ScanOptions, ScanPage};
pub use self::string::{Compare, SetOptions, StringCommands};
