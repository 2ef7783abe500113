//! What is known about a stream at one moment, and what that says to a reader: whether the entries after its position
//! are still there. Every reader asks here; `stream_facts.lua` and `stream_missed.lua` have the parts that scripts
//! need.
//!
//! # The facts
//!
//! Measured on Redis 7.0, Redis 8.2 and Valkey 9.1:
//!
//! | fact | in XINFO | what changes it |
//! | --- | --- | --- |
//! | `last` | last-generated-id | an append sets it. It never becomes smaller |
//! | `added` | entries-added | an append counts it up. It never becomes smaller. Before Redis 7 there is none |
//! | `length` | length | appends, trimming and XDEL |
//! | `first` | first-entry | the same |
//! | `max_deleted` | max-deleted-entry-id | XDEL of a greater id. Trimming does not change it |
//! | read by a group | entries-read | a delivery. It is nil before the first, and after one as long as an entry that follows was deleted |
//!
//! After a loss, the next delivery raises entries-read by one on Redis 7.0; on newer servers by the lost ones, too.
//! Redis 8.2 can trim entries from the middle, by XTRIM with ACKED. That does not change `max_deleted` either.
//!
//! XSETID and XGROUP SETID set them to anything. Who calls these decides what readers learn.
//!
//! # The position
//!
//! A reader keeps the id `p` of the last entry that it has read, and its rank `r`, which is the value of `added` after
//! that entry if all entries up to it were counted. At the time of the read, no more than `added - r` entries existed
//! after `p`.
//!
//! # The proof
//!
//! Let `k` be the number of entries after `p` that exist. If `first > p`, that is `length`; otherwise, what was read
//! tells. As long as the stream is the same one, each append raises `k` and `added` by one, and nothing else raises
//! either. So
//!
//! 1. `last >= p`, `added >= r` and `k <= added - r`. If one of these is false, the stream is another one:
//!    [`Verdict::Anew`].
//! 2. `added - r - k` entries after `p` were removed. If it is 0, none was: [`Verdict::Complete`].
//! 3. If `first <= p`, an entry that is older than these exists. Trimming removes the oldest entries first, so they
//!    were deleted one by one (or trimmed with ACKED): [`Verdict::Deleted`]. Otherwise they were trimmed, or deleted:
//!    [`Verdict::Lagged`].
//! 4. If `first <= p` and the read has not come to the end, `k` is not known. Then `max_deleted > p` still proves
//!    that one was deleted.
//! 5. Without ranks, there are `last`, `first` and `max_deleted` alone. Nothing was removed after `p` if nothing was
//!    added after it (`p = last`), or if nothing was ever removed (`added = length`). Otherwise, perhaps: `Lagged`,
//!    without a number.
//!
//! # Groups
//!
//! The rank of a group is entries-read: how many entries were delivered, or reported as missed. A worker keeps it where
//! the server does not: after it has read `n` entries at rank `r`, the rank is `r + n`, or `added` if it has come to the
//! end (then whatever else followed was deleted one by one). It has asked before, in the same script, whether entries
//! were lost, and reads nothing before they are reported. If no entry that was delivered is left, as many of the removed
//! ones as exceed the rank were neither delivered nor reported: all of them are lost. Among them can be those that were
//! deleted one by one before the group came to them, which it has missed as well.
//!
//! It is still unknown, and a loss is not reported, after a group was created in the middle of a stream or set to a
//! position, or was read by another program beside a deleted entry: until it has come to the end.
//!
//! # What remains unnoticed
//!
//! A stream that was deleted and begun again remains unnoticed if it passes 1: it has grown past the position, and
//! `k` is small enough, because as many of its own entries were trimmed (`added - length >= r`) or have ids below `p`
//! (`first <= p`). Then the number in `Lagged` is too small, by what the old stream had after `p`. It is too large if
//! the reader itself has gone past entries that were deleted one by one.

#[cfg(test)]
mod tests;

use redis_rest::commands::stream::{StreamId, StreamInfo};
use redis_rest::{Error, ErrorKind, FromReply, Reply, Result};

/// Facts about a stream, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// The last id that was ever given, even if its entry has been removed.
    pub(super) last: StreamId,
    /// The number of entries that were ever added, if the server counts them.
    pub(super) added: Option<u64>,
    /// The number of entries.
    pub(super) length: u64,
    /// The id of the first entry.
    pub(super) first: Option<StreamId>,
    /// The greatest id that XDEL has removed. `0-0` if there is none, or if the server does not know.
    pub(super) max_deleted: StreamId,
}

/// What a reader has read of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The id of the last entry that was read, or the one after which the reader starts.
    pub(super) id: StreamId,
    /// How many entries had ever been added when this was the last one, if known.
    pub(super) rank: Option<u64>,
}

impl Position {
    /// Before the first entry of a stream that has had none.
    pub(super) const NOTHING: Position = Position { id: StreamId::MIN, rank: Some(0) };

    /// Before whatever entry is the first.
    pub(super) const START: Position = Position { id: StreamId::MIN, rank: None };
}

/// The entries after a position, which were read at the moment of the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Following {
    pub(super) count: u64,
    /// Whether there are no more.
    pub(super) is_all: bool,
}

/// Whether the entries after a position are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of them are there.
    Complete,
    /// So many were deleted one by one, while an older entry exists. Of a read that has not come to the end: at least
    /// so many.
    Deleted(u64),
    /// So many were removed, or, if it is 0, perhaps some.
    Lagged(u64),
    /// The stream is another one: it was deleted, and perhaps begun again.
    Anew,
}

impl Facts {
    /// A stream that does not exist, or has never had an entry.
    pub(super) const NONE: Facts =
        Facts { last: StreamId::MIN, added: Some(0), length: 0, first: None, max_deleted: StreamId::MIN };

    pub(super) fn of<F>(info: &StreamInfo<F>) -> Self {
        Facts {
            last: info.last_generated_id,
            added: info.entries_added,
            length: info.length,
            first: info.first_entry.as_ref().map(|entry| entry.id),
            max_deleted: info.max_deleted_entry_id.unwrap_or(StreamId::MIN),
        }
    }

    /// Reads the reply to XINFO STREAM. A stream that does not exist is an error of Redis, and [`NONE`](Self::NONE)
    /// here.
    pub(super) fn of_reply<F>(info: Result<StreamInfo<F>>) -> Result<Self> {
        match info {
            Ok(info) => Ok(Facts::of(&info)),
            Err(error) if is_missing(&error) => Ok(Facts::NONE),
            Err(error) => Err(error),
        }
    }

    /// Decides what a reader at `position` has missed. The proof is [above](self).
    pub(super) fn judge(&self, Position { id, rank }: Position, following: Following) -> Verdict {
        let ranks = rank.zip(self.added);
        if self.last < id || ranks.is_some_and(|(rank, added)| added < rank) {
            return Verdict::Anew;
        }
        let is_older_left = self.first.is_some_and(|first| first <= id);
        let Following { count, is_all } =
            if is_older_left { following } else { Following { count: self.length, is_all: true } };
        let removed = match ranks {
            Some((rank, added)) => match (added - rank).checked_sub(count) {
                None => return Verdict::Anew,
                Some(removed) => is_all.then_some(removed),
            },
            None if id == self.last || id == StreamId::MIN || self.added == Some(self.length) => Some(0),
            None => None,
        };
        match removed {
            Some(0) => Verdict::Complete,
            Some(removed) if is_older_left => Verdict::Deleted(removed),
            Some(removed) => Verdict::Lagged(removed),
            None if !is_older_left => Verdict::Lagged(0),
            None if self.max_deleted > id => Verdict::Deleted(1),
            None => Verdict::Complete,
        }
    }

    /// Returns the rank of the position before the first entry.
    pub(super) fn rank_before_first(&self) -> Option<u64> {
        Some(self.added?.saturating_sub(self.length))
    }

    /// Returns how many entries were removed after the last delivery of a group, before it has read them: it will not
    /// see them. `None` if the server does not know how many the group has read. `delivered` and `read` are
    /// `last-delivered-id` and `entries-read` of XINFO GROUPS. `stream_missed.lua` does the same.
    ///
    /// If an entry exists that was delivered, none after it was trimmed. Without this check, Redis 7.0 would report
    /// each loss again for as long as the group exists, because it does not count what was lost as read.
    pub(super) fn missed_by(&self, delivered: StreamId, read: Option<u64>) -> Option<u64> {
        // Before the first delivery, the server does not count.
        let read = read.or((delivered == StreamId::MIN).then_some(0));
        let removed = self.added?.saturating_sub(self.length).saturating_sub(read?);
        Some(if self.first.is_some_and(|first| first <= delivered) { 0 } else { removed })
    }

    /// Returns the version of a versioned log: all its ids are `VERSION-0`.
    pub(super) fn version(self) -> Result<u64> {
        let version = self.last.millis;
        if self.last.sequence != 0 || self.added.is_some_and(|added| added != version) {
            return Err(foreign(self.last));
        }
        Ok(version)
    }

    /// Fails if the server does not count the entries that were added.
    pub(super) fn check_counted(self) -> Result<()> {
        let why = "the server does not report how many entries were added (`entries-added` of XINFO STREAM), so a \
                   missing entry could not be noticed; use Redis 7 or newer, or a versioned log";
        self.added.map(drop).ok_or_else(|| Error::new(ErrorKind::Decode, why))
    }
}

/// What `stream_facts.lua` returns: the last id, the number of added entries or -1, the largest deleted id, the
/// length, and the id of the first entry or `0-0`.
impl FromReply for Facts {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [last, added, max_deleted, length, first] = reply.array_of()?;
        Ok(Facts {
            last: StreamId::from_reply(last)?,
            added: u64::try_from(i64::from_reply(added)?).ok(),
            length: u64::from_reply(length)?,
            first: Some(StreamId::from_reply(first)?).filter(|first| *first != StreamId::MIN),
            max_deleted: StreamId::from_reply(max_deleted)?,
        })
    }
}

/// Whether XINFO has failed because there is no stream.
pub(super) fn is_missing(error: &Error) -> bool {
    error.message().starts_with("ERR no such key")
}

/// The error about a log that is not versioned.
#[cold]
pub(super) fn foreign(last: StreamId) -> Error {
    let message = format!(
        "the log is not versioned: another writer has added entries with ids of their own, and the last one is {last}; \
         use another key, or read it as a plain log"
    );
    Error::new(ErrorKind::Decode, message).settled()
}
