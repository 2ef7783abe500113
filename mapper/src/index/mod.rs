//! Indexes of records: how a model's indexes are laid out in Redis, and how values are encoded in them.

pub(crate) mod encode;
mod layout;
mod marker;
pub(crate) mod state;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
mod times;
mod value;

pub use self::layout::{ColumnKind, LayoutBuilder};
pub(crate) use self::layout::{Index, Layout, StoredLayout};
pub use self::marker::{InIndex, Indexed, IsIndexed, IsUnique, NotIndexed, Unique};
pub use self::value::{IndexField, IndexValue};
pub(crate) use self::value::{column_text, push_text};
