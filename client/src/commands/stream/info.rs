//! What XINFO replies.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::StreamId;
use super::replies::StreamEntry;
use crate::commands::info::Info;
use crate::error::Result;
use crate::reply::{FromReply, Reply};

/// A consumer of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerInfo {
    /// Its name.
    pub name: String,
    /// How many entries it holds.
    pub pending: u64,
    /// How long ago it last asked.
    pub idle: Duration,
    /// How long ago it last got something; `None` when never. Redis 7.2.
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
pub struct GroupInfo {
    /// Its name.
    pub name: String,
    /// How many consumers it has.
    pub consumers: u64,
    /// How many entries are pending.
    pub pending: u64,
    /// The last entry that it delivered.
    pub last_delivered_id: StreamId,
    /// How many entries it has read, if that is known.
    pub entries_read: Option<u64>,
    /// How many entries it has still to deliver, if that is known.
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

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo<F> {
    /// How many entries it has.
    pub length: u64,
    /// How many groups it has.
    pub groups: u64,
    /// The id of the last entry that was added, also if it is removed.
    pub last_generated_id: StreamId,
    /// How many entries were ever added. Redis 7.
    pub entries_added: Option<u64>,
    /// The greatest id of all that were removed. Redis 7.
    pub max_deleted_entry_id: Option<StreamId>,
    /// The first entry.
    pub first_entry: Option<StreamEntry<F>>,
    /// The last entry.
    pub last_entry: Option<StreamEntry<F>>,
}

impl<F: FromReply> FromReply for StreamInfo<F> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(StreamInfo {
            length: info.get("length")?,
            groups: info.get("groups")?,
            last_generated_id: info.get("last-generated-id")?,
            entries_added: info.get_optional("entries-added")?,
            max_deleted_entry_id: info.get_optional("max-deleted-entry-id")?,
            first_entry: info.get("first-entry")?,
            last_entry: info.get("last-entry")?,
        })
    }
}

/// A stream, with entries, groups, their consumers, and what is pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfoFull<F> {
    /// How many entries it has.
    pub length: u64,
    /// The id of the last entry that was added, also if it is removed.
    pub last_generated_id: StreamId,
    /// How many entries were ever added. Redis 7.
    pub entries_added: Option<u64>,
    /// The greatest id of all that were removed. Redis 7.
    pub max_deleted_entry_id: Option<StreamId>,
    /// The id of the first entry; `0-0` when there is none. Redis 7.
    pub recorded_first_entry_id: Option<StreamId>,
    /// The first entries, as many as were asked for.
    pub entries: Vec<StreamEntry<F>>,
    /// The groups.
    pub groups: Vec<GroupInfoFull>,
}

impl<F: FromReply> FromReply for StreamInfoFull<F> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(StreamInfoFull {
            length: info.get("length")?,
            last_generated_id: info.get("last-generated-id")?,
            entries_added: info.get_optional("entries-added")?,
            max_deleted_entry_id: info.get_optional("max-deleted-entry-id")?,
            recorded_first_entry_id: info.get_optional("recorded-first-entry-id")?,
            entries: info.get("entries")?,
            groups: info.get("groups")?,
        })
    }
}

/// A group of consumers, with what each holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfoFull {
    /// Its name.
    pub name: String,
    /// The last entry that it delivered.
    pub last_delivered_id: StreamId,
    /// How many entries it has read, if that is known.
    pub entries_read: Option<u64>,
    /// How many entries it has still to deliver, if that is known.
    pub lag: Option<u64>,
    /// How many entries are pending.
    pub pel_count: u64,
    /// The first of them, as many as were asked for.
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

/// A pending entry of a group: who got it, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: StreamId,
    /// Who holds it.
    pub consumer: String,
    /// When it was last delivered.
    pub delivered: SystemTime,
    /// How often it was delivered.
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

/// A consumer of a group, with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerInfoFull {
    /// Its name.
    pub name: String,
    /// When it last asked.
    pub seen: SystemTime,
    /// When it last got something; `None` when never. Redis 7.2.
    pub active: Option<SystemTime>,
    /// How many entries it holds.
    pub pel_count: u64,
    /// The first of them, as many as were asked for: their ids, when they were last delivered, and how often.
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

/// The time so many milliseconds after 1970; 1970 itself where that cannot be counted.
fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}
