//! What sends the requests of a call that takes several.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Command, Encoded, Received};
use crate::error::{Error, Result};
use crate::platform;
use crate::platform::timer::Wait;
use crate::reply::Replies;

/// A future in a box.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends the requests of a call that takes several. The call is written once, as an async function of a session; the async
/// client returns it as a future, and the blocking client drives it.
///
/// It is an [`Executor`](crate::Executor) and a [`Client`](crate::Client) itself.
#[derive(Clone)]
pub struct Session(Arc<dyn Requests>);

/// A client, as a session sees it.
pub(crate) trait Requests: Send + Sync {
    /// Returns how long a script that asks the server to wait for `extra` keeps its outcome, if it may be repeated.
    fn memory(&self, extra: Duration) -> Option<Duration>;

    fn send(&self, encoded: Encoded) -> BoxFuture<'_, Result<Received>>;

    fn sleep(&self, duration: Duration) -> Wait;
}

impl Session {
    pub(crate) fn new(requests: impl Requests + 'static) -> Self {
        Session(Arc::new(requests))
    }

    /// Waits for a random time of up to `longest`, so that callers who were in each other's way come one after the other.
    #[doc(hidden)]
    pub async fn pause(&self, longest: Duration) {
        self.0.sleep(longest.mul_f64(platform::random())).await;
    }

    /// Sends a request.
    pub(crate) async fn request(&self, encoded: Encoded) -> Result<Received> {
        self.0.send(encoded).await
    }

    /// Sends a command and returns its reply.
    pub(crate) async fn execute<R>(&self, mut command: Command<R>) -> Result<R> {
        let recovery = command.take_recovery();
        if command.takes_nonce()
            && let Some(memory) = self.0.memory(command.extra_time())
        {
            command.fill_once(memory);
        }
        let mut encoded = Encoded::new();
        let expect = encoded.push(command);
        let decode = |Received { tape, attempts }| expect.decode(&mut Replies::of(&tape, expect.parts()), attempts);
        let error = match self.request(encoded).await.map_err(|error| expect.blame(error)).and_then(decode) {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        match recovery {
            Some(recovery) => recovery.run(self.clone(), error).await,
            None => Err(error),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// What a command does about its failure, if it was sent on its own: it sends other requests, or returns the error.
pub(crate) struct Recovery<R>(Arc<Recover<R>>);

type Recover<R> = dyn Fn(Session, Error) -> BoxFuture<'static, Result<R>> + Send + Sync;

impl<R> Recovery<R> {
    pub(super) fn new<F>(recover: impl Fn(Session, Error) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<R>> + Send + 'static,
    {
        Recovery(Arc::new(move |session, error| Box::pin(recover(session, error))))
    }

    pub(super) fn and_then<T: 'static>(self, then: Arc<impl Fn(R) -> Result<T> + Send + Sync + 'static>) -> Recovery<T>
    where
        R: 'static,
    {
        Recovery::new(move |session, error| {
            let (recovered, then) = (self.run(session, error), Arc::clone(&then));
            async move { then(recovered.await?) }
        })
    }

    pub(crate) fn run(&self, session: Session, error: Error) -> BoxFuture<'static, Result<R>> {
        (self.0)(session, error)
    }
}

impl<R> Clone for Recovery<R> {
    fn clone(&self) -> Self {
        Recovery(Arc::clone(&self.0))
    }
}
