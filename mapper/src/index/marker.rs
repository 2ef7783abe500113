//! Whether a field is in an index, as a type.

use super::value::{IndexField, column_text};

/// A field that is in no index.
#[derive(Debug, Clone, Copy)]
pub enum NotIndexed {}

/// A field marked `#[redis(index)]`, or one that is in a compound index.
#[derive(Debug, Clone, Copy)]
pub enum Indexed {}

/// A field marked `#[redis(unique)]`.
#[derive(Debug, Clone, Copy)]
pub enum Unique {}

/// A field that queries can use: [`Indexed`] or [`Unique`].
#[diagnostic::on_unimplemented(
    message = "the field is in no index",
    label = "not a field with an index",
    note = "write `#[redis(index)]` on the field, or `#[redis(unique)]` if no two records may have the same value",
    note = "for the field of an embedded struct, write it there"
)]
pub trait IsIndexed {}

/// The column of a field's value, if the field has one.
#[diagnostic::on_unimplemented(message = "`{T}` cannot be in an index")]
pub trait InIndex<T> {
    /// Returns the text of the column. Returns why a value cannot be in an index.
    #[doc(hidden)]
    fn column(value: &T) -> Result<Option<String>, &'static str>;
}

impl<T> InIndex<T> for NotIndexed {
    fn column(_: &T) -> Result<Option<String>, &'static str> {
        Ok(None)
    }
}

impl<T: IndexField> InIndex<T> for Indexed {
    fn column(value: &T) -> Result<Option<String>, &'static str> {
        column_text(value).map(Some)
    }
}

impl<T: IndexField> InIndex<T> for Unique {
    fn column(value: &T) -> Result<Option<String>, &'static str> {
        column_text(value).map(Some)
    }
}

impl IsIndexed for Indexed {}
impl IsIndexed for Unique {}

/// A field of which no two records have the same value: [`Unique`].
#[diagnostic::on_unimplemented(
    message = "the field is not unique",
    label = "not a unique field",
    note = "write `#[redis(unique)]` on the field, or use a query, which can find several records"
)]
pub trait IsUnique: IsIndexed {}

impl IsUnique for Unique {}
