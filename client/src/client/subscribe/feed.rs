//! The events at one path. A connection that breaks is opened again.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::open::{Broken, Open};
use crate::connection::{Connection, trace};
use crate::error::{Error, Result};
use crate::platform::Instant;
use crate::platform::timer::{Wait, sleep};
use crate::transport::Body;

/// What a feed returns.
pub(super) enum FeedEvent {
    /// The data of an event.
    Data(Vec<u8>),
    /// The connection broke. Events are lost until the next one is open.
    Gap(Error),
}

/// The events at one path.
pub(super) struct Feed {
    connection: Arc<Connection>,
    /// The command that the path stands for.
    command: &'static str,
    path: String,
    /// The number of consecutive failures.
    failures: u32,
    /// When the feed was first polled, which is when it first connected.
    since: Option<Instant>,
    /// Whether an event was ever received.
    has_received: bool,
    state: State,
}

enum State {
    Waiting(Wait),
    Connecting(Pin<Box<dyn Future<Output = Result<Body>> + Send>>),
    Open(Box<Open>),
    Ended,
}

impl Feed {
    pub(super) fn new(connection: Arc<Connection>, command: &'static str, path: String) -> Self {
        let state = connect(&connection, &path);
        Feed { connection, command, path, failures: 0, since: None, has_received: false, state }
    }

    /// Returns the next event. An error is the last.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<FeedEvent>>> {
        self.since.get_or_insert_with(Instant::now);
        loop {
            match &mut self.state {
                State::Ended => return Poll::Ready(None),
                State::Waiting(wait) => {
                    ready!(wait.as_mut().poll(cx));
                    self.state = connect(&self.connection, &self.path);
                }
                State::Connecting(connecting) => match ready!(connecting.as_mut().poll(cx)) {
                    Ok(body) => self.state = State::Open(Box::new(Open::new(body, &self.connection))),
                    Err(error) => match self.reconnect(error) {
                        Ok(_) => {}
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    },
                },
                State::Open(open) => {
                    let broken = match ready!(open.poll(cx, &self.connection)) {
                        Ok(data) => {
                            self.has_received = true;
                            return Poll::Ready(Some(Ok(FeedEvent::Data(data))));
                        }
                        Err(Broken::ForGood(error)) => {
                            self.state = State::Ended;
                            return Poll::Ready(Some(Err(error)));
                        }
                        Err(Broken::ByServer(error)) => error,
                    };
                    // A subscription that lasted a while is not a failure. One that ends at once, again and again, is.
                    if open.has_lasted(self.connection.limits().policy.max_backoff()) {
                        self.failures = 0;
                    }
                    let had_received = self.has_received;
                    return Poll::Ready(Some(match self.reconnect(broken) {
                        // Nothing was received before, so nothing can be lost.
                        Ok(_) if !had_received => continue,
                        Ok(cause) => Ok(FeedEvent::Gap(cause)),
                        Err(error) => Err(error),
                    }));
                }
            }
        }
    }

    /// Waits to connect again, if that can help. Before the first event, the feed retries as often as a request does. After
    /// it, the feed retries without end, because the user learns of the gap.
    fn reconnect(&mut self, error: Error) -> Result<Error> {
        let policy = &self.connection.limits().policy;
        let most = policy.max_retries();
        let wait = policy.wait(&error, self.failures);
        let limit = self.connection.limits().deadline;
        let left = limit.saturating_sub(self.since.map(|since| since.elapsed()).unwrap_or_default());
        let gives_up = !self.has_received && (self.failures >= most || wait > left);
        if !error.kind().is_transient() || most == 0 || gives_up {
            self.state = State::Ended;
            return Err(error.with_attempts(self.failures.saturating_add(1)));
        }
        let wait = wait.min(limit);
        self.failures = self.failures.saturating_add(1);
        trace::reconnect(self.command, &error, self.failures, wait, self.has_received);
        self.state = State::Waiting(sleep(self.connection.timer(), wait));
        Ok(error)
    }
}

fn connect(connection: &Arc<Connection>, path: &str) -> State {
    let (connection, path) = (Arc::clone(connection), path.to_owned());
    State::Connecting(Box::pin(async move { connection.open_events(path).await }))
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("failures", &self.failures).finish_non_exhaustive()
    }
}
