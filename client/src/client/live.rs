//! Streams that run on a client: the async one returns them, and the blocking one iterates over them.

use std::time::Duration;

use futures_core::Stream;
/// The clock of [`sleep`].
#[doc(hidden)]
pub use tokio::time::Instant;

use super::{Redis, blocking};
use crate::executor::Client;

/// A client that can follow something that does not end, such as a log: [`&Redis`](Redis) or
/// [`&blocking::Redis`](blocking::Redis).
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

impl LiveClient for &blocking::Redis {
    type Live<S: Stream + Unpin> = blocking::BlockingIter<S>;

    fn live<S: Stream + Unpin>(self, start: impl FnOnce(Redis) -> S) -> blocking::BlockingIter<S> {
        self.iterate(start)
    }
}

/// Waits. Layers above this crate take their timers from here, so that they need no runtime of their own.
#[doc(hidden)]
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
