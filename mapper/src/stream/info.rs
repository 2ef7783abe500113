//! Facts about a log.

use redis_rest::commands::stream::{StreamId, StreamInfo};
use redis_rest::{Error, FromReply, Reply, Result};

use super::StreamModel;
use super::entry::{Entry, named};
use super::facts::is_missing;

/// Facts about a log, from [`Log::info`](super::Log::info).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogInfo<M> {
    /// The number of entries.
    pub length: u64,
    /// The first entry.
    pub first: Option<Entry<Result<M>>>,
    /// The last entry.
    pub last: Option<Entry<Result<M>>>,
    /// The greatest id that the log has had, even if its entry was removed.
    pub last_generated_id: StreamId,
    /// The number of entries that were ever added, removed ones included. Needs Redis 7.
    pub entries_added: Option<u64>,
    /// The greatest id of the entries that were deleted; `None` if none was. Entries that were trimmed do not count.
    /// Needs Redis 7.
    pub max_deleted_id: Option<StreamId>,
    /// The number of consumer groups.
    pub groups: u64,
}

/// Reads a reply to XINFO STREAM.
pub(super) fn read<M: StreamModel>(reply: Reply<'_>, key: &str) -> Result<Option<LogInfo<M>>> {
    let info = StreamInfo::<Result<M>>::from_reply(reply)?;
    let entry = |entry| named(entry, key, "XINFO");
    Ok(Some(LogInfo {
        length: info.length,
        first: info.first_entry.map(entry),
        last: info.last_entry.map(entry),
        last_generated_id: info.last_generated_id,
        entries_added: info.entries_added,
        max_deleted_id: info.max_deleted_entry_id.filter(|id| *id != StreamId::MIN),
        groups: info.groups,
    }))
}

/// Returns the result of XINFO for a key that does not exist, which is an error of Redis.
pub(super) fn of_error<M>(error: Error) -> Result<Option<LogInfo<M>>> {
    if is_missing(&error) { Ok(None) } else { Err(error) }
}
