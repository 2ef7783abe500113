//! What the commands on entries reply.

use std::time::Duration;

use super::StreamId;
use crate::commands::list::or_empty;
use crate::error::Result;
use crate::reply::{FromReply, Reply};

/// An entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntry<F> {
    /// Its id.
    pub id: StreamId,
    /// Its fields and values.
    pub fields: F,
}

impl<F: FromReply> FromReply for StreamEntry<F> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [id, fields] = reply.array_of()?;
        Ok(StreamEntry { id: StreamId::from_reply(id)?, fields: F::from_reply(fields)? })
    }
}

/// The entries that were read of one stream.
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

/// What became of an entry that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryRemoval {
    /// There is no such entry.
    Missing,
    /// It is removed.
    Removed,
    /// It is there still: a group is not done with it.
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

/// What [`xautoclaim`](super::StreamCommands::xautoclaim) took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoClaim<T> {
    /// Where to go on; [`StreamId::MIN`] at the end.
    pub next: StreamId,
    /// What was taken.
    pub claimed: Vec<T>,
    /// What was pending, but is in the stream no more: it is pending no more.
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

/// What is pending in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSummary {
    /// How many entries.
    pub count: u64,
    /// The ids of the first and the last of them.
    pub range: Option<(StreamId, StreamId)>,
    /// How many each consumer holds, if any.
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
    /// Its id.
    pub id: StreamId,
    /// Who holds it.
    pub consumer: String,
    /// For how long.
    pub idle: Duration,
    /// How often it was delivered.
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
