//! Subscriptions and MONITOR: streams of server-sent events.

mod feed;
mod glob;
mod handle;
mod idle;
mod monitor;
mod open;
mod topic;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use serde::de::DeserializeOwned;

pub use self::handle::SubscriptionHandle;
use self::handle::{Inbox, Requests};
pub use self::monitor::{Monitor, MonitorEvent, MonitoredCommand};
use self::topic::{Kind, Topic};
use crate::arg::ToArg;
use crate::command::OneOrMore;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Result};

/// An event of a [`Subscription`].
#[derive(Debug)]
#[non_exhaustive]
pub enum SubscriptionEvent {
    /// The subscription to this channel or pattern is active. All messages follow, until a gap.
    Subscribed {
        /// The channel or the pattern.
        name: Bytes,
        /// The number of subscriptions that the server reports. In Redis, that is the number of channels and patterns of
        /// the connection: 1 through this project's gateway, because each has a connection of its own (*unverified* on the
        /// service). [`pubsub_numsub`](crate::PubSubCommands::pubsub_numsub) counts the subscribers of a channel.
        count: i64,
    },
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

    /// Returns the payload, read as JSON.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::subscribe::SubscriptionEvent;
    /// use redis_rest::{Json, PubSubCommands};
    ///
    /// redis.publish("temperatures", Json([20.5, 21.0])).await?;
    /// // Elsewhere:
    /// let mut temperatures = redis.subscribe(["temperatures"]);
    /// while let Some(event) = temperatures.next().await {
    ///     if let SubscriptionEvent::Message(message) = event? {
    ///         let values: Vec<f64> = message.json()?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Decode` if the payload is not JSON of a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.payload).map_err(|error| {
            let message = format!("the payload is not JSON of {}", std::any::type_name::<T>());
            Error::new(ErrorKind::Decode, message).with_source(error)
        })
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
///
/// A connection also counts as broken if the server does not confirm the subscription within the
/// [timeout](crate::RedisBuilder::timeout), and if it is silent for longer than the
/// [idle timeout](crate::RedisBuilder::idle_timeout) allows.
///
/// Channels and patterns can be added and ended at any time. The stream ends when none is left.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::subscribe::SubscriptionEvent;
///
/// let mut rooms = redis.subscribe(["lobby"]);
/// while let Some(event) = rooms.next().await {
///     if let SubscriptionEvent::Message(message) = event? {
///         match message.text()? {
///             "enter" => rooms = rooms.subscribe(["kitchen"]),
///             "leave" => rooms.unsubscribe("kitchen"),
///             _ => {}
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a subscription sends nothing until it is polled"]
pub struct Subscription {
    connection: Arc<Connection>,
    topics: Vec<Topic>,
    /// The topic that is polled first, so that a busy one does not starve the others.
    first: usize,
    refused: Option<Error>,
    inbox: Arc<Inbox>,
}

impl Subscription {
    pub(crate) fn new(connection: Arc<Connection>) -> Self {
        Subscription { connection, topics: Vec::new(), first: 0, refused: None, inbox: Arc::default() }
    }

    /// Adds channels.
    pub fn subscribe<K>(self, channels: impl OneOrMore<K>) -> Self {
        self.add(channels, Kind::Channel)
    }

    /// Adds glob-style patterns.
    pub fn psubscribe<K>(self, patterns: impl OneOrMore<K>) -> Self {
        self.add(patterns, Kind::Pattern)
    }

    fn add<K>(mut self, names: impl OneOrMore<K>, kind: Kind) -> Self {
        // What was asked for before does not concern what is added now.
        self.heed(None);
        let mut any = false;
        for name in names.items() {
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

    /// Ends the subscription to a channel. No event of the channel follows. Has no effect if the channel is not subscribed
    /// to.
    ///
    /// A [`handle`](Subscription::handle) does the same while another task waits for events.
    pub fn unsubscribe(&mut self, channel: impl ToArg) {
        self.handle().unsubscribe(channel);
        self.heed(None);
    }

    /// Ends the subscription to a pattern. No event of the pattern follows. Has no effect if the pattern is not subscribed
    /// to.
    pub fn punsubscribe(&mut self, pattern: impl ToArg) {
        self.handle().punsubscribe(pattern);
        self.heed(None);
    }

    /// Returns a handle that ends the subscription, or some of its channels and patterns, while another task waits for
    /// events.
    #[must_use]
    pub fn handle(&self) -> SubscriptionHandle {
        SubscriptionHandle(Arc::clone(&self.inbox))
    }

    /// Does what handles have requested. The next request wakes `waker`.
    fn heed(&mut self, waker: Option<&Waker>) {
        let Requests { all, names, .. } = self.inbox.take(waker);
        let is_over = |topic: &Topic| all || names.iter().any(|(kind, name)| topic.is(*kind, name));
        if all || !names.is_empty() {
            self.topics.retain(|topic| !is_over(topic));
        }
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
        this.heed(Some(cx.waker()));
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

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("connections", &self.topics.len()).finish_non_exhaustive()
    }
}
