//! Indexes of records: how a model's indexes are laid out in Redis, and how values are encoded in them.

pub(crate) mod encode;
mod layout;
mod marker;
#[cfg(test)]
mod tests;
mod value;

pub use self::layout::LayoutBuilder;
pub(crate) use self::layout::{Column, ColumnKind, Index, Layout};
pub use self::marker::{InIndex, Indexed, IsIndexed, IsUnique, NotIndexed, Unique};
pub(crate) use self::value::column_text;
pub use self::value::{IndexField, IndexValue};
