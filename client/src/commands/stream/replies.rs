//! Replies to the commands on entries.

use std::time::Duration;

use super::StreamId;
use crate::commands::list::or_empty;
use crate::error::Result;
use crate::reply::{FromReply, Reply};

/// An entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntry<F> {
    /// The id.
    pub id: StreamId,
    /// The fields and values.
    pub fields: F,
}

impl<F: FromReply> FromReply for StreamEntry<F> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [id, fields] = reply.array_of()?;
        Ok(StreamEntry { id: StreamId::from_reply(id)?, fields: F::from_reply(fields)? })
    }
}

/// The entries that were read from one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntries<K, F> {
    /// The stream's key.
    pub key: K,
    /// The entries, oldest first.
    pub entries: Vec<StreamEntry<F>>,
}

impl<K: FromReply, F: FromReply> FromReply for StreamEntries<K, F> {
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
