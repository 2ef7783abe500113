//! Subscriptions and MONITOR: streams of server-sent events.

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

use self::feed::{Feed, FeedEvent};
pub use self::monitor::{Monitor, MonitorEvent, MonitoredCommand};
use crate::arg::ToArg;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::request::path_segment;

/// An event of a [`Subscription`].
#[derive(Debug)]
#[non_exhaustive]
pub enum SubscriptionEvent {
    /// The subscription to this channel or pattern is active. All messages follow, until a gap.
    Subscribed(Bytes),
    /// A message.
    Message(Message),
    /// The connection of this channel or pattern broke. Messages that are published now are lost, until the next
    /// `Subscribed`.
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
    /// The channel that the message was published to. The API does not mark where a channel ends: if the pattern of the
    /// subscription also matches the channel up to one of its commas, this is the part before that comma.
    pub channel: Bytes,
    /// The pattern of the subscription, if it has one.
    pub pattern: Option<Bytes>,
    /// The published message. The API carries it as text: bytes that are not UTF-8 arrive as U+FFFD. Through this project's
    /// gateway, the line ends `\r` and `\r\n` arrive as `\n` (*unverified* on the service).
    pub payload: Bytes,
}

impl Message {
    /// Returns the payload as text.
    ///
    /// # Errors
    ///
    /// `Decode` if the payload is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.payload)
            .map_err(|error| Error::new(ErrorKind::Decode, "the payload is not UTF-8 text").with_source(error))
    }
}

/// A stream of messages. [`Redis::subscribe`](crate::Redis::subscribe) and
/// [`Redis::psubscribe`](crate::Redis::psubscribe) start one, and dropping it ends it.
///
/// Nothing is sent until the stream is polled. Each channel and each pattern has a connection of its own. The messages of
/// one channel arrive in the order in which they were published.
///
/// A connection that breaks is opened again, after waits that follow the [`RetryPolicy`](crate::RetryPolicy). The first
/// connection is attempted as often, and for as long, as a request; later ones without end. With
/// [`RetryPolicy::never`](crate::RetryPolicy::never), a break is an error that ends the channel.
#[must_use = "a subscription sends nothing until it is polled"]
pub struct Subscription {
    connection: Arc<Connection>,
    topics: Vec<Topic>,
    /// The topic that is polled first, so that a busy one does not starve the others.
    first: usize,
    refused: Option<Error>,
}

struct Topic {
    name: Bytes,
    /// The name as it appears in events.
    shown: String,
    kind: Kind,
    feed: Feed,
}

impl Subscription {
    pub(crate) fn new(connection: Arc<Connection>) -> Self {
        Subscription { connection, topics: Vec::new(), first: 0, refused: None }
    }

    /// Adds channels.
    pub fn subscribe(self, channels: impl IntoIterator<Item = impl ToArg>) -> Self {
        self.add(channels, Kind::Channel)
    }

    /// Adds glob-style patterns.
    pub fn psubscribe(self, patterns: impl IntoIterator<Item = impl ToArg>) -> Self {
        self.add(patterns, Kind::Pattern)
    }

    fn add(mut self, names: impl IntoIterator<Item = impl ToArg>, kind: Kind) -> Self {
        let mut any = false;
        for name in names {
            any = true;
            match Topic::new(&self.connection, name, kind) {
                Ok(topic) => self.topics.push(topic),
                Err(error) => self.refuse(error, kind),
            }
        }
        if !any {
            self.refuse(Error::invalid_input("needs at least one channel or pattern"), kind);
        }
        self
    }

    fn refuse(&mut self, error: Error, kind: Kind) {
        self.refused.get_or_insert_with(|| error.with_command(kind.command().into()));
    }

    /// Returns the next event; `None` if all connections have ended.
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

/// What a topic's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Channel,
    Pattern,
}

impl Kind {
    fn command(self) -> &'static str {
        match self {
            Kind::Channel => "SUBSCRIBE",
            Kind::Pattern => "PSUBSCRIBE",
        }
    }

    fn path(self, segment: &str) -> String {
        match self {
            Kind::Channel => format!("/subscribe/{segment}"),
            Kind::Pattern => format!("/psubscribe/{segment}"),
        }
    }
}

impl Topic {
    fn new(connection: &Arc<Connection>, name: impl ToArg, kind: Kind) -> Result<Self> {
        let name = Bytes::from(name.to_arg().into_bytes()?);
        let segment = path_segment(&name).ok_or_else(|| {
            Error::invalid_input(
                "the name is sent in the request's path, so it cannot be empty, `.`, `..` or longer than about 8 KB",
            )
        })?;
        let path = kind.path(&segment);
        let shown = String::from_utf8_lossy(&name).replace("\r\n", "\n").replace('\r', "\n");
        Ok(Topic { name, shown, kind, feed: Feed::new(Arc::clone(connection), path) })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<SubscriptionEvent>>> {
        let command = self.kind.command();
        self.feed.poll(cx).map(|event| {
            Some(match event? {
                Ok(FeedEvent::Data(data)) => self.read(data).map_err(|error| error.with_command(command.into())),
                Ok(FeedEvent::Gap(cause)) => Ok(SubscriptionEvent::Gap { name: self.name.clone(), cause }),
                Err(error) => Err(error.with_command(command.into())),
            })
        })
    }

    /// Reads `subscribe,NAME,COUNT`, `message,NAME,PAYLOAD` or `pmessage,PATTERN,CHANNEL,PAYLOAD`. The name is known, so
    /// commas in it and in the payload are not ambiguous.
    fn read(&self, data: Vec<u8>) -> Result<SubscriptionEvent> {
        let data = Bytes::from(data);
        let after = |word: &[u8]| {
            let rest = data.strip_prefix(word)?.strip_prefix(b",")?;
            let rest = rest.strip_prefix(self.shown.as_bytes())?.strip_prefix(b",")?;
            Some(data.slice_ref(rest))
        };
        if self.kind == Kind::Pattern {
            if let Some(rest) = after(b"pmessage") {
                return self.split(&rest).ok_or_else(unreadable).map(SubscriptionEvent::Message);
            }
        } else if let Some(payload) = after(b"message") {
            return Ok(SubscriptionEvent::Message(Message { channel: self.name.clone(), pattern: None, payload }));
        }
        let subscribed = if self.kind == Kind::Pattern { after(b"psubscribe") } else { after(b"subscribe") };
        subscribed.map(|_| SubscriptionEvent::Subscribed(self.name.clone())).ok_or_else(unreadable)
    }

    /// Splits `CHANNEL,PAYLOAD` after the shortest channel that matches the pattern.
    fn split(&self, rest: &Bytes) -> Option<Message> {
        let pattern = self.shown.as_bytes();
        let mut commas = rest.iter().enumerate().filter(|(_, byte)| **byte == b',').map(|(at, _)| at);
        let at = commas.find(|at| glob::matches(pattern, rest.get(..*at).unwrap_or_default()))?;
        Some(Message { channel: rest.slice(..at), pattern: Some(self.name.clone()), payload: rest.slice(at + 1..) })
    }
}

fn unreadable() -> Error {
    Error::protocol("an event is neither a message nor the start of a subscription")
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("connections", &self.topics.len()).finish_non_exhaustive()
    }
}
