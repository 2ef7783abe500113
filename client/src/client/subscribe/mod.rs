//! Subscriptions: messages as a stream, over server-sent events.

mod feed;
mod glob;
mod monitor;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use self::feed::{Feed, Happening};
pub use self::monitor::{Monitor, MonitorEvent, MonitoredCommand};
use crate::arg::ToArg;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::request::path_segment;

/// What comes of a subscription.
#[derive(Debug)]
#[non_exhaustive]
pub enum SubscriptionEvent {
    /// The channel or the pattern is listened to: what is published from now on comes, until a gap.
    Subscribed(Bytes),
    /// A message.
    Message(Message),
    /// The connection of this channel or pattern broke, for the reason given. What was published meanwhile is lost; a
    /// `Subscribed` says where listening goes on.
    Gap {
        /// The channel or the pattern.
        name: Bytes,
        /// What broke the connection.
        cause: Error,
    },
}

/// A published message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The channel that it was published to. Of a pattern that matches a channel up to one of its commas as well, it is
    /// what stands before that comma: the API does not say where a channel ends.
    pub channel: Bytes,
    /// The pattern that the channel matches, if that was subscribed to.
    pub pattern: Option<Bytes>,
    /// What was published. The API carries it as text: bytes that are not UTF-8 come as U+FFFD, and of line ends `\r`
    /// and `\r\n` come as `\n` through this project's gateway (*unverified* on the service).
    pub payload: Bytes,
}

impl Message {
    /// The payload as text.
    ///
    /// # Errors
    ///
    /// `Decode` when it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.payload)
            .map_err(|error| Error::new(ErrorKind::Decode, "the payload is not UTF-8 text").with_source(error))
    }
}

/// A stream of what is published to channels, begun by [`Redis::subscribe`](crate::Redis::subscribe) and
/// [`Redis::psubscribe`](crate::Redis::psubscribe). Dropping it ends the subscription.
///
/// Nothing is sent until it is polled. Each channel and each pattern has a connection of its own: within a channel,
/// messages come in the order in which they were published. A connection that breaks is made anew, after waits that grow
/// by the [`RetryPolicy`](crate::RetryPolicy); the first one is tried as often, and as long, as a request, a later one without
/// end.
/// With [`RetryPolicy::never`](crate::RetryPolicy::never) a break is an error, and the end of that channel.
#[must_use = "a subscription sends nothing until it is polled"]
pub struct Subscription {
    connection: Arc<Connection>,
    topics: Vec<Topic>,
    /// Which topic is asked first, so that a busy one does not silence the others.
    first: usize,
    refused: Option<Error>,
}

struct Topic {
    name: Bytes,
    /// The name as events have it.
    shown: String,
    is_pattern: bool,
    feed: Feed,
}

impl Subscription {
    pub(crate) fn new(connection: Arc<Connection>) -> Self {
        Subscription { connection, topics: Vec::new(), first: 0, refused: None }
    }

    /// Listens to these channels as well.
    pub fn subscribe(self, channels: impl IntoIterator<Item = impl ToArg>) -> Self {
        self.add(channels, false)
    }

    /// Listens to the channels that match these glob-style patterns as well.
    pub fn psubscribe(self, patterns: impl IntoIterator<Item = impl ToArg>) -> Self {
        self.add(patterns, true)
    }

    fn add(mut self, names: impl IntoIterator<Item = impl ToArg>, is_pattern: bool) -> Self {
        let mut any = false;
        for name in names {
            any = true;
            match Topic::new(&self.connection, name, is_pattern) {
                Ok(topic) => self.topics.push(topic),
                Err(error) => self.refuse(error, is_pattern),
            }
        }
        if !any {
            self.refuse(Error::invalid_input("needs at least one channel or pattern"), is_pattern);
        }
        self
    }

    fn refuse(&mut self, error: Error, is_pattern: bool) {
        self.refused.get_or_insert_with(|| error.with_command(command(is_pattern).into()));
    }

    /// The next event; `None` when all connections have ended.
    pub async fn next(&mut self) -> Option<Result<SubscriptionEvent>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Subscription {
    type Item = Result<SubscriptionEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(error) = this.refused.take() {
            this.topics.clear();
            return Poll::Ready(Some(Err(error)));
        }
        let count = this.topics.len();
        let mut ended = 0;
        for offset in 0..count {
            let at = (this.first + offset) % count;
            let Some(topic) = this.topics.get_mut(at) else { continue };
            match topic.poll(cx) {
                Poll::Ready(Some(event)) => {
                    this.first = at + 1;
                    return Poll::Ready(Some(event));
                }
                Poll::Ready(None) => ended += 1,
                Poll::Pending => {}
            }
        }
        if ended == count { Poll::Ready(None) } else { Poll::Pending }
    }
}

fn command(is_pattern: bool) -> &'static str {
    if is_pattern { "PSUBSCRIBE" } else { "SUBSCRIBE" }
}

impl Topic {
    fn new(connection: &Arc<Connection>, name: impl ToArg, is_pattern: bool) -> Result<Self> {
        let name = Bytes::from(name.to_arg().into_bytes()?);
        let segment = path_segment(&name).ok_or_else(|| {
            Error::invalid_input(
                "the name travels in the request's path, where it cannot be empty, `.`, `..` or so long",
            )
        })?;
        let path = if is_pattern { format!("/psubscribe/{segment}") } else { format!("/subscribe/{segment}") };
        let shown = String::from_utf8_lossy(&name).replace("\r\n", "\n").replace('\r', "\n");
        Ok(Topic { name, shown, is_pattern, feed: Feed::new(Arc::clone(connection), path) })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<SubscriptionEvent>>> {
        let command = command(self.is_pattern);
        self.feed.poll(cx).map(|happening| {
            Some(match happening? {
                Ok(Happening::Data(data)) => self.read(data).map_err(|error| error.with_command(command.into())),
                Ok(Happening::Gap(cause)) => Ok(SubscriptionEvent::Gap { name: self.name.clone(), cause }),
                Err(error) => Err(error.with_command(command.into())),
            })
        })
    }

    /// `subscribe,NAME,COUNT`, `message,NAME,PAYLOAD` or `pmessage,PATTERN,CHANNEL,PAYLOAD`. The name is known: commas
    /// in it, and in the payload, leave no doubt.
    fn read(&self, data: Vec<u8>) -> Result<SubscriptionEvent> {
        let data = Bytes::from(data);
        let behind = |word: &[u8]| {
            let rest = data.strip_prefix(word)?.strip_prefix(b",")?;
            let rest = rest.strip_prefix(self.shown.as_bytes())?.strip_prefix(b",")?;
            Some(data.slice_ref(rest))
        };
        if self.is_pattern {
            if let Some(rest) = behind(b"pmessage") {
                return self.split(&rest).ok_or_else(unreadable).map(SubscriptionEvent::Message);
            }
        } else if let Some(payload) = behind(b"message") {
            return Ok(SubscriptionEvent::Message(Message { channel: self.name.clone(), pattern: None, payload }));
        }
        let subscribed = if self.is_pattern { behind(b"psubscribe") } else { behind(b"subscribe") };
        subscribed.map(|_| SubscriptionEvent::Subscribed(self.name.clone())).ok_or_else(unreadable)
    }

    /// `CHANNEL,PAYLOAD`: the shortest channel that matches the pattern.
    fn split(&self, rest: &Bytes) -> Option<Message> {
        let pattern = self.shown.as_bytes();
        let mut commas = rest.iter().enumerate().filter(|(_, byte)| **byte == b',').map(|(at, _)| at);
        let at = commas.find(|at| glob::matches(pattern, rest.get(..*at).unwrap_or_default()))?;
        Some(Message { channel: rest.slice(..at), pattern: Some(self.name.clone()), payload: rest.slice(at + 1..) })
    }
}

fn unreadable() -> Error {
    Error::protocol("an event is neither a message nor the begin of a subscription")
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("connections", &self.topics.len()).finish_non_exhaustive()
    }
}
