//! Folds over plain logs.

use redis_rest::{Client, Result, Session};

use super::StreamModel;
use super::entry::Entry;
use super::facts::{Facts, Position, Verdict};
use super::log::Log;
use super::page::{self, trimmed};
use crate::page_len::PageLen;

impl<M: StreamModel + Send> Log<M> {
    /// Applies all events to a state, oldest first, and returns it.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "payments")]
    /// # struct Payment { cents: i64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = Payment::log("2026-11");
    /// log.append(&redis, &Payment { cents: 990 }).await?;
    /// log.append(&redis, &Payment { cents: -100 }).await?;
    /// let sum = log.fold(&redis, 0, |sum, payment| sum + payment.cents).await?;
    /// assert_eq!(sum, 890);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// One request for every 500 events: a read-only script with `XINFO STREAM` and `XRANGE`. Events that are added
    /// meanwhile may be included. To keep a state up to date without reading the log from its beginning each time,
    /// use a [`Projection`](crate::Projection), or a [versioned](Self::versioned) log with snapshots.
    ///
    /// # Errors
    ///
    /// `Lagged` if entries were removed, by `max_len` for example: the state would be wrong. The error of the first
    /// event that cannot be read; it names the entry.
    pub fn fold<C: Client, S: Send + 'static>(
        &self,
        client: C,
        init: S,
        apply: impl FnMut(S, M) -> S + Send + 'static,
    ) -> C::Out<S> {
        let log = self.clone();
        client.run(move |session| run(session, log, init, apply))
    }
}

async fn run<M, S>(session: Session, log: Log<M>, init: S, mut apply: impl FnMut(S, M) -> S) -> Result<S>
where
    M: StreamModel + Send,
{
    let (mut state, mut position, mut count, mut len) = (init, Position::NOTHING, 0, PageLen::default());
    loop {
        let page = page::read(&session, &log, position.id, &mut len).await?;
        page.head.check_counted()?;
        let Facts { added, length, .. } = page.head;
        match page.head.judge(position, page.following()) {
            Verdict::Complete => {}
            Verdict::Anew => {
                return Err(trimmed(log.typed_key(), "the log was deleted while it was read; fold it again"));
            }
            Verdict::Deleted(_) | Verdict::Lagged(_) => {
                let why = format!(
                    "the history was trimmed: {} entries were added, and {length} are left; a state cannot be made of them",
                    added.unwrap_or_default()
                );
                return Err(trimmed(log.typed_key(), why));
            }
        }
        let is_full = page.is_full;
        for Entry { id, event } in page.entries {
            count += 1;
            position = Position { id, rank: Some(count) };
            state = apply(state, event?);
        }
        if !is_full {
            return Ok(state);
        }
    }
}
