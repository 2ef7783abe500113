//! Records: each one a Redis hash at `prefix:id`.

mod commands;
#[cfg(test)]
mod derived;
mod each;
mod field_ref;
mod hash_model;
mod model_commands;
mod query;
mod scan;
mod version;

pub(crate) use self::commands::{from_reply, is_no_record};
pub use self::each::Each;
pub use self::field_ref::{FieldRef, FlattenRef};
pub(crate) use self::hash_model::layout;
pub use self::hash_model::{HashModel, IdRef};
pub use self::model_commands::ModelCommands;
pub use self::query::{Page, Query};
pub use self::scan::RecordScanOptions;
pub use self::version::Version;
