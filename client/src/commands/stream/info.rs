//! Replies to XINFO.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::StreamId;
use super::replies::StreamEntry;
use crate::commands::info::Info;
use crate::error::Result;
use crate::reply::{FromReply, Reply};

/// A consumer of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerInfo {
    /// The name.
    pub name: String,
    /// The number of entries that are pending with it.
    pub pending: u64,
    /// The time since it last tried to read or claim.
    pub idle: Duration,
    /// The time since it last read or claimed an entry; `None` if it never did, and before Redis 7.2.
    pub inactive: Option<Duration>,
}

impl FromReply for ConsumerInfo {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        let inactive = info.get_optional::<i64>("inactive")?.and_then(|millis| u64::try_from(millis).ok());
        Ok(ConsumerInfo {
            name: info.get("name")?,
            pending: info.get("pending")?,
            idle: Duration::from_millis(info.get("idle")?),
            inactive: inactive.map(Duration::from_millis),
        })
    }
}

/// A group of consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupInfo {
    /// The name.
    pub name: String,
    /// The number of consumers.
    pub consumers: u64,
    /// The number of pending entries.
    pub pending: u64,
    /// The id of the last entry that the group delivered.
    pub last_delivered_id: StreamId,
    /// The number of entries that the group has read, if known.
    pub entries_read: Option<u64>,
    /// The number of entries that the group has yet to deliver, if known.
    pub lag: Option<u64>,
}

impl FromReply for GroupInfo {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(GroupInfo {
            name: info.get("name")?,
            consumers: info.get("consumers")?,
            pending: info.get("pending")?,
            last_delivered_id: info.get("last-delivered-id")?,
            entries_read: info.get_optional("entries-read")?,
            lag: info.get_optional("lag")?,
        })
    }
}

/// Facts about a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamInfo<F> {
    /// The number of entries.
    pub length: u64,
    /// The number of keys of the radix tree that holds the entries, if the server has one.
    pub radix_tree_keys: Option<u64>,
    /// The number of nodes of that tree.
    pub radix_tree_nodes: Option<u64>,
    /// The number of groups.
    pub groups: u64,
    /// The id of the last entry that was added, even if it has been removed.
    pub last_generated_id: StreamId,
    /// The number of entries that were ever added. Needs Redis 7.
    pub entries_added: Option<u64>,
    /// The greatest id of all removed entries. Needs Redis 7.
    pub max_deleted_entry_id: Option<StreamId>,
    /// The id of the first entry, or `0-0` if the stream is empty. Needs Redis 7.
    pub recorded_first_entry_id: Option<StreamId>,
    /// The first entry.
    pub first_entry: Option<StreamEntry<F>>,
    /// The last entry.
    pub last_entry: Option<StreamEntry<F>>,
}

impl<F> FromReply for StreamInfo<F>
where
    StreamEntry<F>: FromReply,
{
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(StreamInfo {
            length: info.get("length")?,
            radix_tree_keys: info.get_optional("radix-tree-keys")?,
            radix_tree_nodes: info.get_optional("radix-tree-nodes")?,
            groups: info.get("groups")?,
            last_generated_id: info.get("last-generated-id")?,
            entries_added: info.get_optional("entries-added")?,
            max_deleted_entry_id: info.get_optional("max-deleted-entry-id")?,
            recorded_first_entry_id: info.get_optional("recorded-first-entry-id")?,
            first_entry: info.get("first-entry")?,
            last_entry: info.get("last-entry")?,
        })
    }
}

/// Facts about a stream, with entries, groups, consumers and pending entries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamInfoFull<F> {
    /// The number of entries.
    pub length: u64,
    /// The number of keys of the radix tree that holds the entries, if the server has one.
    pub radix_tree_keys: Option<u64>,
    /// The number of nodes of that tree.
    pub radix_tree_nodes: Option<u64>,
    /// The id of the last entry that was added, even if it has been removed.
    pub last_generated_id: StreamId,
    /// The number of entries that were ever added. Needs Redis 7.
    pub entries_added: Option<u64>,
    /// The greatest id of all removed entries. Needs Redis 7.
    pub max_deleted_entry_id: Option<StreamId>,
    /// The id of the first entry, or `0-0` if the stream is empty. Needs Redis 7.
    pub recorded_first_entry_id: Option<StreamId>,
    /// The first entries, up to the requested number.
    pub entries: Vec<StreamEntry<F>>,
    /// The groups.
    pub groups: Vec<GroupInfoFull>,
}

impl<F: FromReply> FromReply for StreamInfoFull<F> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(StreamInfoFull {
            length: info.get("length")?,
            radix_tree_keys: info.get_optional("radix-tree-keys")?,
            radix_tree_nodes: info.get_optional("radix-tree-nodes")?,
            last_generated_id: info.get("last-generated-id")?,
            entries_added: info.get_optional("entries-added")?,
            max_deleted_entry_id: info.get_optional("max-deleted-entry-id")?,
            recorded_first_entry_id: info.get_optional("recorded-first-entry-id")?,
            entries: info.get("entries")?,
            groups: info.get("groups")?,
        })
    }
}

/// A group of consumers, with its pending entries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupInfoFull {
    /// The name.
    pub name: String,
    /// The id of the last entry that the group delivered.
    pub last_delivered_id: StreamId,
    /// The number of entries that the group has read, if known.
    pub entries_read: Option<u64>,
    /// The number of entries that the group has yet to deliver, if known.
    pub lag: Option<u64>,
    /// The number of pending entries.
    pub pel_count: u64,
    /// The first pending entries, up to the requested number.
    pub pending: Vec<Delivery>,
    /// The consumers.
    pub consumers: Vec<ConsumerInfoFull>,
}

impl FromReply for GroupInfoFull {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(GroupInfoFull {
            name: info.get("name")?,
            last_delivered_id: info.get("last-delivered-id")?,
            entries_read: info.get_optional("entries-read")?,
            lag: info.get_optional("lag")?,
            pel_count: info.get("pel-count")?,
            pending: info.get("pending")?,
            consumers: info.get("consumers")?,
        })
    }
}

/// A pending entry of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The id.
    pub id: StreamId,
    /// The consumer that it is pending with.
    pub consumer: String,
    /// The time of the last delivery.
    pub delivered: SystemTime,
    /// The number of deliveries.
    pub deliveries: u64,
}

impl FromReply for Delivery {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [id, consumer, delivered, deliveries] = reply.array_of()?;
        Ok(Delivery {
            id: StreamId::from_reply(id)?,
            consumer: String::from_reply(consumer)?,
            delivered: time(u64::from_reply(delivered)?),
            deliveries: u64::from_reply(deliveries)?,
        })
    }
}

/// A consumer of a group, with its pending entries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerInfoFull {
    /// The name.
    pub name: String,
    /// The time of its last attempt to read or claim.
    pub seen: SystemTime,
    /// The time when it last read or claimed an entry; `None` if it never did, and before Redis 7.2.
    pub active: Option<SystemTime>,
    /// The number of entries that are pending with it.
    pub pel_count: u64,
    /// The first of these entries, up to the requested number: the id, the time of the last delivery, and the number
    /// of deliveries.
    pub pending: Vec<(StreamId, SystemTime, u64)>,
}

impl FromReply for ConsumerInfoFull {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        let active = info.get_optional::<i64>("active-time")?.and_then(|millis| u64::try_from(millis).ok());
        let pending: Vec<(StreamId, u64, u64)> = info.get("pending")?;
        Ok(ConsumerInfoFull {
            name: info.get("name")?,
            seen: time(info.get("seen-time")?),
            active: active.map(time),
            pel_count: info.get("pel-count")?,
            pending: pending.into_iter().map(|(id, millis, deliveries)| (id, time(millis), deliveries)).collect(),
        })
    }
}

/// Returns the time `millis` milliseconds after 1970, or 1970 if a `SystemTime` cannot hold it.
fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}
