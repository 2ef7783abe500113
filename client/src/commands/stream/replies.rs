//! Replies to the commands on entries.

use std::time::Duration;

use super::StreamId;
use crate::commands::list::or_empty;
use crate::error::{Error, ErrorKind, Result};
use crate::reply::{FromReply, Reply};

/// An entry of a stream: its id, and its fields.
///
/// Commands return a `StreamEntry<Result<F>>` for each entry, so that fields that are not an `F` affect no other entry:
/// this entry still has its id, to acknowledge it or to set it aside. [`into_result`](StreamEntry::into_result) is for
/// programs that do not continue after such an entry.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::commands::stream::{GroupPosition, XReadGroupOptions};
/// use redis_rest::{ListCommands, StreamCommands};
///
/// let new = [("readings", GroupPosition::New)];
/// for stream in redis.xreadgroup::<String, Vec<(String, f64)>>("g", "me", new, XReadGroupOptions::new()).await? {
///     for entry in stream.entries {
///         match entry.fields {
///             Ok(fields) => println!("{fields:?}"),
///             Err(error) => {
///                 eprintln!("{error}"); // entry 1526919030474-0: expected a number, found a string of 4 bytes
///                 redis.rpush("unreadable", entry.id).await?;
///             }
///         }
///         redis.xack("readings", "g", entry.id).await?;
///     }
/// }
///
/// for entry in redis.xrange::<Vec<(String, f64)>>("readings", .., None).await? {
///     println!("{}: {:?}", entry.id, entry.fields?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntry<F> {
    /// The id.
    pub id: StreamId,
    /// The fields and values.
    pub fields: F,
}

impl<F> StreamEntry<Result<F>> {
    /// Returns the entry if its fields could be read.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::StreamCommands;
    /// use redis_rest::commands::stream::StreamEntry;
    ///
    /// let entries = redis.xrange::<Vec<(String, f64)>>("readings", .., None).await?;
    /// let entries = entries.into_iter().map(StreamEntry::into_result).collect::<Result<Vec<_>, _>>()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the fields. Its text names the entry.
    pub fn into_result(self) -> Result<StreamEntry<F>> {
        Ok(StreamEntry { id: self.id, fields: self.fields? })
    }
}

/// Reads an entry whose fields have to fit.
impl<F: FromReply> FromReply for StreamEntry<F> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        StreamEntry::<Result<F>>::from_reply(reply)?.into_result()
    }
}

/// Reads an entry whose fields may not fit. The error names the entry.
impl<F: FromReply> FromReply for StreamEntry<Result<F>> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [id, fields] = reply.array_of()?;
        let id = StreamId::from_reply(id)?;
        let decoded = F::from_reply(fields).map_err(|error| {
            let error = if fields.is_nil() { removed() } else { error };
            error.context(format!("entry {id}"))
        });
        Ok(StreamEntry { id, fields: decoded })
    }

    /// Before Redis 7, an entry that was claimed after it was removed is nil, without an id.
    fn vec_from_reply(reply: Reply<'_>) -> Result<Vec<Self>> {
        reply.array()?.filter(|entry| !entry.is_nil()).map(Self::from_reply).collect()
    }
}

fn removed() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "it was removed from the stream while it was pending; acknowledge it, or ask for an `Option` of the fields",
    )
}

/// The entries that were read from one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntries<K, F> {
    /// The stream's key.
    pub key: K,
    /// The entries, oldest first.
    pub entries: Vec<StreamEntry<F>>,
}

impl<K, F> StreamEntries<K, Result<F>> {
    /// Returns the entries if the fields of each could be read.
    ///
    /// # Errors
    ///
    /// The error of the first entry that could not be read. Its text names the entry.
    pub fn into_result(self) -> Result<StreamEntries<K, F>> {
        let entries = self.entries.into_iter().map(StreamEntry::into_result).collect::<Result<_>>()?;
        Ok(StreamEntries { key: self.key, entries })
    }
}

impl<K: FromReply, F> FromReply for StreamEntries<K, F>
where
    StreamEntry<F>: FromReply,
{
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [key, entries] = reply.array_of()?;
        Ok(StreamEntries { key: K::from_reply(key)?, entries: Vec::from_reply(entries)? })
    }
}

/// The outcome of removing one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryRemoval {
    /// The entry does not exist.
    Missing,
    /// The entry was removed.
    Removed,
    /// The entry was kept, because a group has not acknowledged it yet.
    Referenced,
}

impl FromReply for EntryRemoval {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match i64::from_reply(reply)? {
            -1 => Ok(EntryRemoval::Missing),
            1 => Ok(EntryRemoval::Removed),
            2 => Ok(EntryRemoval::Referenced),
            _ => Err(reply.mismatch("one of the codes -1, 1 and 2")),
        }
    }
}

/// The result of [`xautoclaim`](super::StreamCommands::xautoclaim).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AutoClaim<T> {
    /// The `start` of the next call; [`StreamId::MIN`] after the last pending entry.
    pub next: StreamId,
    /// The claimed entries, or their ids.
    pub claimed: Vec<T>,
    /// Entries that were pending but no longer exist. They are not pending any more.
    pub deleted: Vec<StreamId>,
}

impl<T: FromReply> FromReply for AutoClaim<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let mut parts = reply.array()?;
        Ok(AutoClaim {
            next: StreamId::from_reply(parts.expect_next()?)?,
            claimed: Vec::from_reply(parts.expect_next()?)?,
            // Redis 7 added this part.
            deleted: parts.next().map(Vec::from_reply).transpose()?.unwrap_or_default(),
        })
    }
}

/// The pending entries of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingSummary {
    /// The number of pending entries.
    pub count: u64,
    /// The smallest and the greatest id, if there are any entries.
    pub range: Option<(StreamId, StreamId)>,
    /// Each consumer with pending entries, and their number.
    pub consumers: Vec<(String, u64)>,
}

impl FromReply for PendingSummary {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [count, first, last, consumers] = reply.array_of()?;
        let range = Option::from_reply(first)?.zip(Option::from_reply(last)?);
        Ok(PendingSummary { count: u64::from_reply(count)?, range, consumers: or_empty(consumers)? })
    }
}

/// A pending entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// The id.
    pub id: StreamId,
    /// The consumer that it is pending with.
    pub consumer: String,
    /// The time since the last delivery.
    pub idle: Duration,
    /// The number of deliveries.
    pub deliveries: u64,
}

impl FromReply for Pending {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [id, consumer, idle, deliveries] = reply.array_of()?;
        Ok(Pending {
            id: StreamId::from_reply(id)?,
            consumer: String::from_reply(consumer)?,
            idle: Duration::from_millis(u64::from_reply(idle)?),
            deliveries: u64::from_reply(deliveries)?,
        })
    }
}
