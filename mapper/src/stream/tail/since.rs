//! Where a reader of a log starts.

use redis_rest::commands::stream::StreamId;

/// Where a reader of a log starts.
///
/// ```no_run
/// use redis_model::Since;
/// # use redis_model::prelude::*;
/// # #[derive(Debug, RedisModel)]
/// # #[redis(stream, prefix = "chat", publish)]
/// # struct Said { text: String }
/// # async fn example(redis: Redis) -> Result<()> {
/// let mut chat = Said::log("lobby").tail(&redis, Since::Last(20)); // the last 20 events, and then those to come
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Since {
    /// The first entry that exists.
    Start,
    /// Entries that are added from now on. "Now" is the moment of the first request, and is fixed once.
    Now,
    /// The entries after this id. If the log has never had an id as high as this one, the tail reports
    /// [`Lagged`](redis_rest::Error::is_lagged), because the log is another one than that of the id, and starts at
    /// its first entry.
    After(StreamId),
    /// The last entries, as many as this, and those that are added from then on.
    Last(u64),
}

impl From<StreamId> for Since {
    fn from(id: StreamId) -> Self {
        Since::After(id)
    }
}
