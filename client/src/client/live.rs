//! Streams that run on a client: the async one returns them, and the blocking one iterates over them.

use futures_core::Stream;

use super::Redis;
use crate::executor::Client;

/// A client that can follow something that does not end, such as a log: [`&Redis`](Redis) or
/// [`&blocking::Redis`](crate::blocking::Redis).
pub trait LiveClient: Client {
    /// What this client returns for a stream `S`: `S` itself, or an iterator over its items.
    type Live<S: Stream + Unpin>;

    /// Starts a stream of the async client.
    #[doc(hidden)]
    fn live<S: Stream + Unpin>(self, start: impl FnOnce(Redis) -> S) -> Self::Live<S>;
}

impl LiveClient for &Redis {
    type Live<S: Stream + Unpin> = S;

    fn live<S: Stream + Unpin>(self, start: impl FnOnce(Redis) -> S) -> S {
        start(self.clone())
    }
}
