//! Pages of an answer.

use crate::query::Cursor;

/// A page of records, or of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What was found, in order.
    pub items: Vec<T>,
    /// Where the next page begins: pass it to [`Query::after`](crate::Query::after). `None` if there is nothing more. A page
    /// with a cursor can be shorter than the limit, or empty.
    pub cursor: Option<Cursor>,
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
