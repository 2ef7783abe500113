//! One channel or pattern of a subscription, with a connection of its own.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::feed::{Feed, FeedEvent};
use super::glob::Pattern;
use super::{Message, SubscriptionEvent};
use crate::arg::ToArg;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::wire::number;
use crate::wire::request::path_segment;

/// What a topic's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Channel,
    Pattern,
}

impl Kind {
    pub(super) fn command(self) -> &'static str {
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

pub(super) struct Topic {
    name: Bytes,
    /// The name as it appears in events.
    shown: String,
    kind: Kind,
    /// The name, if it is a pattern.
    pattern: Option<Pattern>,
    feed: Feed,
}

impl Topic {
    pub(super) fn new(connection: &Arc<Connection>, name: impl ToArg, kind: Kind) -> Result<Self> {
        let name = Bytes::from(name.to_arg().into_bytes()?);
        let segment = path_segment(&name).ok_or_else(|| {
            Error::invalid_input(
                "the name is sent in the request's path, so it cannot be empty, `.`, `..` or longer than about 8 KB",
            )
        })?;
        let path = kind.path(&segment);
        let shown = String::from_utf8_lossy(&name).replace("\r\n", "\n").replace('\r', "\n");
        let pattern = (kind == Kind::Pattern).then(|| Pattern::new(shown.as_bytes()));
        Ok(Topic { name, shown, kind, pattern, feed: Feed::new(Arc::clone(connection), kind.command(), path) })
    }

    pub(super) fn is(&self, kind: Kind, name: &[u8]) -> bool {
        self.kind == kind && self.name == name
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<SubscriptionEvent>>> {
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
        let subscribed = match &self.pattern {
            Some(pattern) => {
                if let Some(rest) = after(b"pmessage") {
                    return self.split(pattern, &rest).ok_or_else(unreadable).map(SubscriptionEvent::Message);
                }
                after(b"psubscribe")
            }
            None => {
                if let Some(payload) = after(b"message") {
                    let channel = self.name.clone();
                    return Ok(SubscriptionEvent::Message(Message { channel, pattern: None, payload }));
                }
                after(b"subscribe")
            }
        };
        let count = subscribed.and_then(|count| number::integer(&count)).ok_or_else(unreadable)?;
        Ok(SubscriptionEvent::Subscribed { name: self.name.clone(), count })
    }

    /// Splits `CHANNEL,PAYLOAD` after the shortest channel that matches the pattern.
    fn split(&self, pattern: &Pattern, rest: &Bytes) -> Option<Message> {
        let at = pattern.prefixes(rest).find(|at| rest.get(*at) == Some(&b','))?;
        Some(Message { channel: rest.slice(..at), pattern: Some(self.name.clone()), payload: rest.slice(at + 1..) })
    }
}

fn unreadable() -> Error {
    Error::protocol("an event is neither a message nor the start of a subscription")
}
