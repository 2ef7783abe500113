//! The executors that are connected to a database.

use super::{Executor, Paging};
use crate::command::{Encoded, Received, Session};
use crate::error::{Error, Result};

/// A client: `&`[`Redis`](crate::Redis) or `&`[`blocking::Redis`](crate::blocking::Redis).
///
/// A function that is generic over `Client` serves both. It returns what the client returns, or awaits it with
/// [`resolve`](Client::resolve):
///
/// ```no_run
/// use redis_rest::{Client, Result, StringCommands};
///
/// fn next_id<C: Client>(client: C) -> C::Out<i64> {
///     client.incr("next-id")
/// }
///
/// async fn next_name<C: Client>(client: C) -> Result<String> {
///     let id = C::resolve(next_id(client)).await?;
///     C::resolve(client.set("last-id", id)).await?;
///     Ok(format!("user-{id}"))
/// }
/// ```
///
/// A struct stores a `Redis`, not a client type: `Client` and the command families cannot be trait objects. To replace
/// the server in a test, set the [transport](crate::RedisBuilder::transport).
pub trait Client: Executor + Copy {
    /// What this client returns for a call whose error is one of the caller's own: a [`RequestOr`](crate::RequestOr) or a
    /// `Result`.
    type OutOr<T, E>;

    /// What this client returns for items that come in pages: a [`Pages`](crate::Pages) or a
    /// [`PageIter`](crate::PageIter).
    type Paged<T>;

    /// Returns the reply that `out` is, or will be. With the blocking client it is there already.
    fn resolve<R: Send + 'static>(out: Self::Out<R>) -> impl Future<Output = Result<R>> + Send;

    /// Returns the outcome that `out` is, or will be, as [`resolve`](Client::resolve) does.
    fn resolve_or<T: Send + 'static, E: From<Error> + Send + 'static>(
        out: Self::OutOr<T, E>,
    ) -> impl Future<Output = Result<T, E>> + Send;

    /// Returns a call that has two kinds of errors as one that has the caller's.
    #[doc(hidden)]
    fn or<T: Send + 'static, E: From<Error> + Send + 'static>(out: Self::Out<Result<T, E>>) -> Self::OutOr<T, E>;

    /// Sends one request, and passes the replies to `finish`.
    #[doc(hidden)]
    fn request<T: 'static>(
        self,
        encoded: Encoded,
        finish: impl FnOnce(Received) -> Result<T> + Send + 'static,
    ) -> Self::Out<T>;

    /// Runs a call that takes several requests.
    #[doc(hidden)]
    fn run<T, F>(self, flow: impl FnOnce(Session) -> F + Send + 'static) -> Self::Out<T>
    where
        T: 'static,
        F: Future<Output = Result<T>> + Send + 'static;

    /// Returns the items of pages that take several requests each. `fetch` returns a page's items, and where the next page
    /// starts.
    #[doc(hidden)]
    fn pages_of<P, T, F>(self, start: P, fetch: impl Fn(Session, P) -> F + Send + Clone + 'static) -> Self::Paged<T>
    where
        P: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<(Vec<Result<T>>, Option<P>)>> + Send + 'static;

    /// Returns the items of pages. Each page is fetched when it is needed.
    fn paged<P: Paging>(self, paging: P) -> Self::Paged<P::Item>;
}
