//! Queries: conditions as ranges of encoded values, the plan, the call of the script, its answer, and cursors.

mod answer;
mod call;
mod condition;
mod cursor;
mod explain;
mod field;
mod plan;

pub(crate) use self::answer::{Answer, Position, read_count, read_estimates, read_ids, read_records};
pub(crate) use self::call::{Call, Found};
pub(crate) use self::condition::{Bounds, Condition, Edge};
pub use self::cursor::Cursor;
pub(crate) use self::cursor::{damaged, fingerprint};
pub use self::explain::Explain;
pub use self::field::{RangeFor, SequenceField, SingleField, TextValue};
pub(crate) use self::plan::{Order, Plan};
