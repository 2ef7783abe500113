//! Where a tail stands, as text to keep.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Error, ErrorKind, Result};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::stream::facts::Position;

/// Where a [`Tail`](crate::Tail) stands: a later tail continues exactly after the last entry that this one has yielded.
///
/// It is text (`Display`, `FromStr`, serde), so that a program can store it. It names the logs, so a token of another
/// log is refused.
///
/// ```no_run
/// use redis_model::Since;
/// use redis_model::stream::{TailOptions, TailToken};
/// # use redis_model::prelude::*;
/// # #[derive(Debug, RedisModel)]
/// # #[redis(stream, prefix = "order-events", publish)]
/// # enum OrderEvent { Paid { cents: i64 } }
/// # async fn example(redis: Redis, stored: String) -> Result<()> {
/// let token: TailToken = stored.parse()?;
/// let log = OrderEvent::log(17);
/// let mut events = log.tail_with(&redis, Since::Start, TailOptions::new().resume(token));
/// while let Some(entry) = events.next().await {
///     println!("{}", entry?.id);
///     let stored = events.token().to_string(); // order-events:17@1526919030474-55+12
/// }
/// # Ok(())
/// # }
/// ```
///
/// The token has moved on after an item that is an error, too. A stream that a client resumes must send it with every
/// item: if it ends at an error instead, the client comes back to the same one, again and again. For server-sent events,
/// the token is the `id` of each:
///
/// ```no_run
/// # use redis_model::Tail;
/// # use redis_model::prelude::*;
/// # #[derive(Debug, RedisModel)]
/// # #[redis(stream, prefix = "chat", publish)]
/// # struct Said { text: String }
/// use futures_util::stream::{self, Stream};
///
/// /// Yields the `id` and the `data` of each event.
/// fn events(tail: Tail<Said>) -> impl Stream<Item = (String, String)> {
///     stream::unfold(tail, |mut tail| async {
///         let data = match tail.next().await? {
///             Ok(entry) => entry.event.map_or_else(|error| format!("unreadable: {error}"), |said| said.text),
///             Err(error) if error.is_lagged() => "some messages are gone".to_owned(),
///             Err(_) => return None, // the client connects again, with the id of the last event
///         };
///         Some(((tail.token().to_string(), data), tail))
///     })
/// }
/// ```
///
/// It shows the keys of the logs. Without it, [`Since::After`](crate::Since::After) resumes after an id, but cannot tell
/// whether entries in between were removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TailToken(BTreeMap<String, Position>);

impl TailToken {
    pub(super) fn of<'k>(positions: impl Iterator<Item = (&'k str, Position)>) -> Self {
        TailToken(positions.map(|(key, position)| (key.to_owned(), position)).collect())
    }

    pub(super) fn position(&self, key: &str) -> Option<Position> {
        self.0.get(key).copied()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns the id of the last entry of the log at `key` that was yielded, or that of the entry after which the tail
    /// started.
    #[must_use]
    pub fn id(&self, key: &str) -> Option<StreamId> {
        self.position(key).map(|position| position.id)
    }
}

/// The text of the token of a tail that has not started.
const UNSTARTED: &str = "-";

/// `KEY@ID+RANK` for each log, with spaces in between; `-` for a tail that has not started. In a key, spaces and
/// percent signs are percent-encoded.
impl fmt::Display for TailToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(UNSTARTED);
        }
        for (number, (key, Position { id, rank })) in self.0.iter().enumerate() {
            let space = if number == 0 { "" } else { " " };
            write!(f, "{space}{}@{id}", key.replace('%', "%25").replace(' ', "%20"))?;
            if let Some(rank) = rank {
                write!(f, "+{rank}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for TailToken {
    type Err = Error;

    /// # Errors
    ///
    /// `InvalidInput` if the text is not that of a token. An empty text is none: it is most often a file that was not
    /// written to its end. White space around the token is ignored.
    fn from_str(text: &str) -> Result<Self> {
        if text.trim() == UNSTARTED {
            return Ok(TailToken::default());
        }
        let places = text.trim().split(' ').map(|place| read(place).ok_or_else(malformed));
        Ok(TailToken(places.collect::<Result<_>>()?))
    }
}

fn read(place: &str) -> Option<(String, Position)> {
    let (key, position) = place.rsplit_once('@')?;
    let (id, rank) = match position.split_once('+') {
        Some((id, rank)) => (id, Some(rank.parse().ok()?)),
        None => (position, None),
    };
    let key = key.replace("%20", " ").replace("%25", "%");
    Some((key, Position { id: id.parse().ok()?, rank }))
}

fn malformed() -> Error {
    let message =
        "this is not the token of a tail; pass the text that `TailToken` displays, such as `orders:17@5-0+12`";
    Error::new(ErrorKind::InvalidInput, message)
}

impl Serialize for TailToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TailToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: Error| serde::de::Error::custom(error.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_as_text_and_as_json() {
        let at = |millis, rank| Position { id: StreamId::new(millis, 3), rank };
        let places = [("a b%20:1", at(5, None)), ("orders:x@y+z", at(6, Some(12))), ("orders:17", Position::START)];
        let token = TailToken::of(places.into_iter());
        assert_eq!(token.to_string(), "a%20b%2520:1@5-3 orders:17@0-0 orders:x@y+z@6-3+12");
        assert_eq!(token.to_string().parse::<TailToken>().unwrap(), token);
        let json = serde_json::to_string(&token).unwrap();
        assert_eq!(serde_json::from_str::<TailToken>(&json).unwrap(), token);
        assert_eq!((token.id("orders:x@y+z"), token.id("other")), (Some(StreamId::new(6, 3)), None));
        assert_eq!(TailToken::default().to_string().parse::<TailToken>().unwrap(), TailToken::default());
        assert_eq!(format!("{token}\n").parse::<TailToken>().unwrap(), token);
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", " \n", "orders", "orders@", "orders@x", "orders@5-0+", "orders@5-0+x", "a@1-0 b"] {
            assert!(text.parse::<TailToken>().unwrap_err().is_invalid_input(), "{text}");
        }
        assert!(serde_json::from_str::<TailToken>("\"orders\"").is_err());
    }
}
