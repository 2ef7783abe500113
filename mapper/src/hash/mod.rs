//! Records: each one a Redis hash at `prefix:id`.

mod commands;
#[cfg(test)]
mod derived;
mod each;
mod field_ref;
mod hash_model;
mod model_commands;
mod modify;
mod patch;
mod plain;
mod query;
mod returned;
mod save_options;
mod scan;
mod unit;
mod upkeep;
mod version;
mod writes;

pub(crate) use self::commands::{from_reply, is_no_record};
pub use self::each::Each;
pub use self::field_ref::{FieldRef, FlattenRef};
pub use self::hash_model::{HashModel, IdRef};
pub use self::model_commands::ModelCommands;
pub use self::patch::{AppendText, Counter, FloatCounter, Increment, MayBeAbsent, Patch};
pub use self::query::{Page, Query};
pub use self::returned::ReturnedFields;
pub use self::save_options::SaveOptions;
pub use self::scan::RecordScanOptions;
pub use self::unit::{Committed, Unit};
pub use self::upkeep::{Drift, IndexPhase, ReindexProgress, Reindexed, VerifyProgress};
pub use self::version::{Version, VersionNumber};
pub use crate::evolution::{StoredFields, UnknownFields};
pub use crate::index::{InIndex, IndexField, IndexValue, Indexed, IsIndexed, IsUnique, NotIndexed, Unique};
pub use crate::query::{Explain, RangeFor, SequenceField, SingleField, TextValue};
pub use crate::value_for::ValueFor;
