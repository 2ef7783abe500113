//! An entry of a log, and how it is read.

use redis_rest::commands::stream::{StreamEntry, StreamId};
use redis_rest::{Error, FromReply, Reply, Result};

use super::StreamModel;

/// An event and its id.
///
/// A log returns an `Entry<Result<M>>` for each entry, so that an event that cannot be read affects no other. It still
/// has its id. [`into_result`](Entry::into_result) is for programs that do not continue after such an entry.
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
    /// Returns whether the event cannot be read because it is of a variant that the enum does not have: another version
    /// of the program may have appended it.
    ///
    /// A program that has no use for such events skips these alone; every other error remains. A variant with
    /// `#[redis(unknown)]` receives them instead; see [`UnknownEvent`](super::UnknownEvent).
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "order-events")]
    /// # enum OrderEvent { Paid { cents: i64 } }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let mut entries = OrderEvent::log(17).range(&redis, .., 100).await?;
    /// entries.retain(|entry| !entry.is_unknown_variant());
    /// for entry in entries {
    ///     println!("{:?}", entry.event?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_unknown_variant(&self) -> bool {
        self.event.as_ref().is_err_and(Error::is_unknown_variant)
    }

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
    read_all(reply, key, "XRANGE")
}

/// Reads entries, newest first.
pub(super) fn read_reversed<M: StreamModel>(reply: Reply<'_>, key: &str) -> Result<Vec<Entry<Result<M>>>> {
    read_all(reply, key, "XREVRANGE")
}

/// Reads entries that arrive newest first, and returns them oldest first.
pub(super) fn read_last<M: StreamModel>(reply: Reply<'_>, key: &str) -> Result<Vec<Entry<Result<M>>>> {
    let mut entries = read_reversed(reply, key)?;
    entries.reverse();
    Ok(entries)
}

/// Reads the only entry, if there is one.
pub(super) fn read_one<M: StreamModel>(reply: Reply<'_>, key: &str) -> Result<Option<Entry<Result<M>>>> {
    Ok(read_entries(reply, key)?.pop())
}

fn read_all<M: StreamModel>(reply: Reply<'_>, key: &str, command: &'static str) -> Result<Vec<Entry<Result<M>>>> {
    let entries = Vec::<StreamEntry<Result<M>>>::from_reply(reply)?;
    Ok(entries.into_iter().map(|entry| named(entry, key, command)).collect())
}

/// Names the log in the error of an event that cannot be read.
pub(super) fn named<M: StreamModel>(
    StreamEntry { id, fields }: StreamEntry<Result<M>>,
    key: &str,
    command: &'static str,
) -> Entry<Result<M>> {
    let event = fields.map_err(|error| error.with_command(command.into()).about(M::MODEL_NAME, key));
    Entry { id, event }
}
