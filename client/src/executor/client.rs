//! The executors that are connected to a database.

use super::{Executor, Paging};
use crate::command::{Encoded, Received};
use crate::error::Result;

/// A client: `&`[`Redis`](crate::Redis) or `&`[`blocking::Redis`](crate::blocking::Redis). Code that is generic over
/// `Client` and needs several requests serves both.
pub trait Client: Executor + Copy {
    /// What this client returns for an operation with a result of type `T`: a future, or the result itself.
    type Outcome<T>;

    /// What this client returns for items that come in pages: a [`Pages`](crate::Pages) or a
    /// [`PageIter`](crate::PageIter).
    type Paged<T>;

    /// Sends one request, and passes the replies to `finish`.
    #[doc(hidden)]
    fn request<T: 'static>(
        self,
        encoded: Encoded,
        finish: impl FnOnce(Received) -> Result<T> + Send + 'static,
    ) -> Self::Outcome<T>;

    /// Returns the items of pages. Each page is fetched when it is needed.
    fn paged<P: Paging>(self, paging: P) -> Self::Paged<P::Item>;
}
