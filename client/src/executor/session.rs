//! Sessions as executors.

use std::fmt;
use std::future::IntoFuture;

use super::{Client, Executor, Pages, Paging};
use crate::command::{BoxFuture, Command, Encoded, Received, Session};
use crate::error::{Error, Result};

/// A request of a [`Session`]: it is sent when it is awaited.
#[must_use = "a request is not sent until it is awaited"]
pub struct SessionRequest<R> {
    session: Session,
    call: Call<R>,
}

enum Call<R> {
    Command(Command<R>),
    Commands(Encoded, Finish<R>),
    Flow(BoxFuture<'static, Result<R>>),
}

/// Makes the result of the replies.
type Finish<R> = Box<dyn FnOnce(Received) -> Result<R> + Send>;

impl<R: 'static> IntoFuture for SessionRequest<R> {
    type Output = Result<R>;
    type IntoFuture = BoxFuture<'static, Result<R>>;

    fn into_future(self) -> Self::IntoFuture {
        let SessionRequest { session, call } = self;
        match call {
            Call::Command(command) => Box::pin(async move { session.execute(command).await }),
            Call::Commands(encoded, finish) => Box::pin(async move { finish(session.request(encoded).await?) }),
            Call::Flow(flow) => flow,
        }
    }
}

impl<R> fmt::Debug for SessionRequest<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRequest").finish_non_exhaustive()
    }
}

impl Executor for &Session {
    type Out<R> = SessionRequest<R>;

    fn submit<R>(self, command: Command<R>) -> SessionRequest<R> {
        SessionRequest { session: self.clone(), call: Call::Command(command) }
    }
}

impl Client for &Session {
    type OutOr<T, E> = BoxFuture<'static, Result<T, E>>;
    type Paged<T> = Pages<T>;

    fn resolve_or<T: Send + 'static, E: From<Error> + Send + 'static>(
        out: BoxFuture<'static, Result<T, E>>,
    ) -> impl Future<Output = Result<T, E>> + Send {
        out
    }

    fn or<T: Send + 'static, E: From<Error> + Send + 'static>(
        out: SessionRequest<Result<T, E>>,
    ) -> BoxFuture<'static, Result<T, E>> {
        let out = out.into_future();
        Box::pin(async move { out.await? })
    }

    fn resolve<R: Send + 'static>(request: SessionRequest<R>) -> impl Future<Output = Result<R>> + Send {
        request.into_future()
    }

    fn request<T: 'static>(
        self,
        encoded: Encoded,
        finish: impl FnOnce(Received) -> Result<T> + Send + 'static,
    ) -> SessionRequest<T> {
        SessionRequest { session: self.clone(), call: Call::Commands(encoded, Box::new(finish)) }
    }

    fn paged<P: Paging>(self, paging: P) -> Pages<P::Item> {
        self.pages_of(paging, |session, paging: P| {
            let reply = (&session).submit(paging.command()).into_future();
            async move { Ok(paging.advance(reply.await?)) }
        })
    }

    fn run<T, F>(self, flow: impl FnOnce(Session) -> F + Send + 'static) -> SessionRequest<T>
    where
        T: 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        SessionRequest { session: self.clone(), call: Call::Flow(Box::pin(flow(self.clone()))) }
    }

    fn pages_of<P, T, F>(self, start: P, fetch: impl Fn(Session, P) -> F + Send + Clone + 'static) -> Pages<T>
    where
        P: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<(Vec<Result<T>>, Option<P>)>> + Send + 'static,
    {
        let session = self.clone();
        Pages::new(start, move |at| fetch(session.clone(), at))
    }
}
