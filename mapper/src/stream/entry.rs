//! An entry of a log, and how it is read.

use redis_rest::commands::stream::{StreamEntry, StreamId};
use redis_rest::{FromReply, Reply, Result};

use super::StreamModel;

/// An event and its id.
///
/// A log returns an `Entry<Result<M>>` for each entry, so that an event that cannot be read affects no other. It still has
/// its id. [`into_result`](Entry::into_result) is for programs that do not continue after such an entry.
///
/// ```no_run
/// # use redis_model::{Entry, prelude::*};
/// # #[derive(Debug, RedisModel)]
/// # #[redis(stream, prefix = "temperature")]
/// # struct Reading { celsius: f64 }
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = Reading::log("roof");
/// for entry in log.range(&redis, .., 100).await? {
///     match entry.event {
///         Ok(reading) => println!("{}: {}", entry.id, reading.celsius),
///         Err(error) => println!("skipped: {error}"), // XRANGE for Reading at "temperature:roof": entry 5-0: ..
///     }
/// }
///
/// let entries = log.range(&redis, .., 100).await?.into_iter().map(Entry::into_result).collect::<Result<Vec<_>>>()?;
/// println!("all {} can be read", entries.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry<T> {
    /// The id of the entry.
    pub id: StreamId,
    /// The event.
    pub event: T,
}

impl<T> Entry<Result<T>> {
    /// Returns the entry if its event could be read.
    ///
    /// # Errors
    ///
    /// The error of the event. It names the log and the entry.
    pub fn into_result(self) -> Result<Entry<T>> {
        Ok(Entry { id: self.id, event: self.event? })
    }
}

/// Reads the entries of a reply. An event that cannot be read does not affect the others; its error names the log.
pub(super) fn read_entries<M: StreamModel>(reply: Reply<'_>, key: &str) -> Result<Vec<Entry<Result<M>>>> {
    let entries = Vec::<StreamEntry<Result<M>>>::from_reply(reply)?.into_iter();
    let named = entries.map(|StreamEntry { id, fields }| {
        let event = fields.map_err(|error| error.with_command("XRANGE".into()).about(M::MODEL_NAME, key));
        Entry { id, event }
    });
    Ok(named.collect())
}
