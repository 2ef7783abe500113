//! One open connection of server-sent events, and how long it may be silent.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::idle::Idle;
use crate::connection::{Connection, transport_error};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::Instant;
use crate::platform::timer::{Wait, sleep};
use crate::transport::Body;
use crate::wire::sse::Events;

/// If a timer is this late, the program did not run in time, and did not read the connection either: the silence starts
/// again. It does so once, because some timers are always late: those of a browser's tab in the background, for example.
const LATE: Duration = Duration::from_secs(1);

/// A connection whose response has begun.
pub(super) struct Open {
    body: Body,
    events: Events,
    since: Instant,
    /// Whether an event has arrived.
    is_confirmed: bool,
    idle: Idle,
    /// The start of the current silence, if the connection was read and nothing has arrived.
    silent_since: Option<Instant>,
    /// Whether the current silence was forgiven once, because the timer was late.
    is_forgiven: bool,
    /// A wait, and when it ends.
    wait: Option<(Instant, Wait)>,
}

impl Open {
    pub(super) fn new(body: Body, connection: &Connection) -> Self {
        Open {
            body,
            events: Events::default(),
            since: Instant::now(),
            is_confirmed: false,
            idle: Idle::new(connection.idle_timeout()),
            silent_since: None,
            is_forgiven: false,
            wait: None,
        }
    }

    /// Returns the data of the next event, or what broke the connection.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, connection: &Connection) -> Poll<Result<Vec<u8>, Broken>> {
        loop {
            if let Some(data) = self.events.next() {
                self.is_confirmed = true;
                return Poll::Ready(Ok(data));
            }
            let Poll::Ready(chunk) = self.body.poll_chunk(cx) else { break };
            let chunk = match chunk {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return Poll::Ready(Err(Broken::ByServer(transport_error(error)))),
                None => {
                    let error = Error::new(ErrorKind::Interrupted, "the server ended the stream of events");
                    return Poll::Ready(Err(Broken::ByServer(error)));
                }
            };
            self.is_forgiven = false;
            let silence = self.silent_since.take().map(|since| since.elapsed()).unwrap_or_default();
            self.events.push(&chunk, connection.max_response_bytes()).map_err(Broken::ForGood)?;
            let comments = self.events.comments();
            let data = self.events.next();
            self.idle.ended(silence, data.is_none() && self.events.comments() > comments);
            if let Some(data) = data {
                self.is_confirmed = true;
                return Poll::Ready(Ok(data));
            }
        }
        ready!(self.poll_silence(cx, connection));
        let message = if self.is_confirmed {
            "nothing arrived for longer than the idle timeout"
        } else {
            "the server did not confirm the subscription within the timeout"
        };
        Poll::Ready(Err(Broken::ByServer(Error::timeout(message))))
    }

    /// Returns whether the subscription was confirmed, and the connection is older than `age`.
    pub(super) fn has_lasted(&self, age: Duration) -> bool {
        self.is_confirmed && self.since.elapsed() > age
    }

    /// Waits until the silence has lasted too long.
    fn poll_silence(&mut self, cx: &mut Context<'_>, connection: &Connection) -> Poll<()> {
        loop {
            let now = Instant::now();
            let silent_since = *self.silent_since.get_or_insert(now);
            let confirmation =
                if self.is_confirmed { None } else { self.since.checked_add(connection.limits().timeout) };
            let sound = self.idle.limit().and_then(|limit| silent_since.checked_add(limit));
            let Some(until) = confirmation.into_iter().chain(sound).min() else { return Poll::Pending };
            // A wait that ends too early is followed by another. So events, which move the end, set no timers.
            let earlier = self.wait.take().filter(|(end, _)| *end <= until);
            let (end, wait) = self.wait.insert(
                earlier.unwrap_or_else(|| (until, sleep(connection.timer(), until.saturating_duration_since(now)))),
            );
            let end = *end;
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
            if end < until {
                continue;
            }
            if self.is_forgiven || now.saturating_duration_since(until) < LATE {
                return Poll::Ready(());
            }
            self.is_forgiven = true;
            if !self.is_confirmed {
                self.since = now;
            }
            self.silent_since = Some(now);
        }
    }
}

/// Why a connection ended.
pub(super) enum Broken {
    /// A new connection can help.
    ByServer(Error),
    ForGood(Error),
}
