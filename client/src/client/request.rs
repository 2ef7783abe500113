//! Requests as futures.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Redis;
use crate::command::{BoxFuture, Command, Encoded, Received};
use crate::error::{Error, Result};

/// A request that is sent when it is awaited. The result is its reply.
///
/// It borrows nothing, so it can be spawned, joined and returned like any other future:
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use redis_rest::StringCommands;
///
/// let name = tokio::spawn(redis.get::<String>("name"));
/// let (hits, visits) = tokio::try_join!(redis.incr("hits"), redis.incr("visits"))?;
/// let name = name.await??;
///
/// // This call alone may take no longer than 200 ms, all retries included.
/// let flags = redis.get::<String>("flags").deadline(Duration::from_millis(200)).await;
/// # Ok(())
/// # }
/// ```
///
/// If the compiler reports `expected .., found Request<..>`, a `.await` is missing.
///
/// A request ends on the tokio runtime on which it was first polled: that runtime has its timers and its connection, and must
/// keep running.
///
/// Dropping the future after it was polled gives up the reply, but the server may execute the command nevertheless.
#[must_use = "a request is not sent until it is awaited"]
pub struct Request<T> {
    state: State<T>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "most requests are awaited where they are made; a box would cost each an allocation. Where pointers are short, the lint is silent"
)]
enum State<T> {
    Unsent { redis: Redis, call: Call<T> },
    Sent(Pin<Box<dyn Future<Output = Result<T>> + Send>>),
    Ended,
}

enum Call<T> {
    Command(Command<T>),
    Commands(Encoded, Finish<T>),
    Flow(Flow<T>),
}

/// Makes the result of the replies.
type Finish<T> = Box<dyn FnOnce(Received) -> Result<T> + Send>;

/// Begins a call that takes several requests.
type Flow<T> = Box<dyn FnOnce(Redis) -> BoxFuture<'static, Result<T>> + Send>;

impl<T> Request<T> {
    pub(super) fn command(redis: Redis, command: Command<T>) -> Self {
        Request { state: State::Unsent { redis, call: Call::Command(command) } }
    }

    pub(super) fn commands(
        redis: Redis,
        encoded: Encoded,
        finish: impl FnOnce(Received) -> Result<T> + Send + 'static,
    ) -> Self {
        Request { state: State::Unsent { redis, call: Call::Commands(encoded, Box::new(finish)) } }
    }

    pub(super) fn flow(
        redis: Redis,
        flow: impl FnOnce(Redis) -> BoxFuture<'static, Result<T>> + Send + 'static,
    ) -> Self {
        Request { state: State::Unsent { redis, call: Call::Flow(Box::new(flow)) } }
    }

    /// Sets how long one attempt may take, instead of the client's [`timeout`](crate::RedisBuilder::timeout). It has no
    /// effect after the request was polled.
    ///
    /// If [auto-pipelining](crate::RedisBuilder::auto_pipelining) joins several commands to one request, its attempts take
    /// the longest of their timeouts. Each command keeps its own deadline.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if let State::Unsent { redis, .. } = &mut self.state {
            redis.patience.timeout = Some(timeout);
        }
        self
    }

    /// Sets how long all attempts may take, including the waits between them, instead of the client's
    /// [`deadline`](crate::RedisBuilder::deadline). It has no effect after the request was polled. With a duration of zero
    /// the request fails without being sent. Times are measured in milliseconds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        if let State::Unsent { redis, .. } = &mut self.state {
            redis.patience.deadline = Some(deadline);
        }
        self
    }
}

impl<T> Request<T> {
    /// Makes the client execute the command exactly once, although it sends it again after a lost reply.
    /// [`Command::exactly_once`] describes what that guarantees and what it costs. It has no effect after the request was
    /// polled.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::StringCommands;
    ///
    /// let hits = redis.incr("hits").exactly_once().await?;
    /// assert_eq!(hits, 1); // also if the first reply was lost, and others have incremented since
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` before anything is sent, if the command cannot run inside a script, or if this is the request of a
    /// pipeline, a transaction or a batch.
    pub fn exactly_once(mut self) -> Self {
        if let State::Unsent { redis, call } = self.state {
            let call = match call {
                Call::Command(command) => Call::Command(command.exactly_once()),
                Call::Commands(mut encoded, finish) => {
                    encoded.fail(Error::invalid_input(
                        "pipelines, transactions and batches have no `exactly_once`; send the command on its own",
                    ));
                    Call::Commands(encoded, finish)
                }
                Call::Flow(_) => Call::Flow(Box::new(|_| {
                    let why =
                        "a call of several requests has no `exactly_once`; its writes are executed once without it";
                    Box::pin(async move { Err(Error::invalid_input(why)) })
                })),
            };
            self.state = State::Unsent { redis, call };
        }
        self
    }
}

impl<T: 'static> Future for Request<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        loop {
            match &mut self.state {
                State::Sent(future) => {
                    let poll = future.as_mut().poll(cx);
                    if poll.is_ready() {
                        self.state = State::Ended;
                    }
                    return poll;
                }
                State::Ended => {
                    return Poll::Ready(Err(Error::invalid_input(
                        "the request was polled after it had returned its reply",
                    )));
                }
                State::Unsent { .. } => {
                    if let State::Unsent { redis, call } = mem::replace(&mut self.state, State::Ended) {
                        self.state = State::Sent(send(redis, call));
                    }
                }
            }
        }
    }
}

/// A [`Request`] whose error is one of the caller's own.
#[must_use = "a request is not sent until it is awaited"]
pub struct RequestOr<T, E>(Request<Result<T, E>>);

impl<T, E> RequestOr<T, E> {
    pub(super) fn new(request: Request<Result<T, E>>) -> Self {
        RequestOr(request)
    }

    /// Sets how long one attempt may take; see [`Request::timeout`].
    pub fn timeout(self, timeout: Duration) -> Self {
        RequestOr(self.0.timeout(timeout))
    }

    /// Sets how long the call may take, as [`Request::deadline`] does.
    pub fn deadline(self, deadline: Duration) -> Self {
        RequestOr(self.0.deadline(deadline))
    }
}

impl<T: 'static, E: From<Error> + 'static> Future for RequestOr<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        Pin::new(&mut self.0).poll(cx).map(|outcome| outcome?)
    }
}

impl<T, E> fmt::Debug for RequestOr<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn send<T: 'static>(redis: Redis, call: Call<T>) -> Pin<Box<dyn Future<Output = Result<T>> + Send>> {
    match call {
        Call::Command(command) => Box::pin(redis.send(command)),
        Call::Commands(encoded, finish) => {
            Box::pin(async move { finish(redis.connection.request(encoded, redis.patience).await?) })
        }
        Call::Flow(flow) => flow(redis),
    }
}

impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Unsent { .. } => "unsent",
            State::Sent(_) => "sent",
            State::Ended => "ended",
        };
        f.debug_struct("Request").field("state", &state).finish_non_exhaustive()
    }
}
