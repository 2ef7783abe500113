//! The kind of text that a field holds.

/// What the text of a field is. List elements are JSON objects, in which a number or a Boolean is not a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number, including `NaN` and the infinities.
    Number,
    /// `true` or `false`.
    Bool,
    /// JSON.
    Json,
}
