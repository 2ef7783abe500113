//! Folds over versioned logs.

use std::ops::Deref;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Client, Error, Result, Session};

use super::VersionedLog;
use crate::page_len::PageLen;
use crate::stream::log::Log;
use crate::stream::page::{self, LogPage, trimmed};
use crate::stream::{Entry, StreamModel};

/// A state, and the version of the log that it is made of.
///
/// It dereferences to the state: `order.paid` instead of `order.state.paid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Versioned<S> {
    /// The number of events that the state is made of.
    pub version: u64,
    /// The state.
    pub state: S,
}

impl<S> Deref for Versioned<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.state
    }
}

impl<M: StreamModel + Send> VersionedLog<M> {
    /// Applies all events to a state, oldest first, and returns it with its version.
    ///
    /// ```no_run
    /// use redis_model::prelude::*;
    /// use redis_model::stream::Expected;
    ///
    /// #[derive(Debug, Clone, PartialEq, RedisModel)]
    /// #[redis(stream, versioned, prefix = "order-events")]
    /// enum OrderEvent {
    ///     Placed { cents: i64 },
    ///     Paid { cents: i64 },
    /// }
    ///
    /// #[derive(Debug, Default)]
    /// struct Order {
    ///     due: i64,
    /// }
    ///
    /// impl Order {
    ///     fn apply(mut self, event: OrderEvent) -> Order {
    ///         match event {
    ///             OrderEvent::Placed { cents } => self.due += cents,
    ///             OrderEvent::Paid { cents } => self.due -= cents,
    ///         }
    ///         self
    ///     }
    /// }
    ///
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = OrderEvent::log(17).versioned();
    /// let order = log.fold(&redis, Order::default(), Order::apply).await?;
    /// if order.due > 0 {
    ///     log.append(&redis, Expected::Exact(order.version), &[OrderEvent::Paid { cents: order.due }]).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// One request for every 500 events: a read-only script with `XINFO STREAM` and `XRANGE`. For long logs, use
    /// [`aggregate`](Self::aggregate) with snapshots.
    ///
    /// # Errors
    ///
    /// `Lagged` if a version is missing. The error of the first event that cannot be read; it names the entry. `Decode`
    /// if another writer has added entries with ids of their own.
    pub fn fold<C: Client, S: Send + 'static>(
        &self,
        client: C,
        init: S,
        mut apply: impl FnMut(S, M) -> S + Send + 'static,
    ) -> C::Out<Versioned<S>> {
        let log = self.log.clone();
        client.run(move |session| async move {
            let start = Versioned { version: 0, state: init };
            replay(&session, &log, start, None, &mut apply).await
        })
    }
}

/// Applies the events after the version of a state. `first` is the page that begins there, if it has been read.
pub(super) async fn replay<M, S>(
    session: &Session,
    log: &Log<M>,
    mut from: Versioned<S>,
    mut first: Option<LogPage<M>>,
    apply: &mut (impl FnMut(S, M) -> S + Send),
) -> Result<Versioned<S>>
where
    M: StreamModel + Send,
    S: Send,
{
    let mut len = PageLen::default();
    loop {
        let page = match first.take() {
            Some(page) => page,
            None => page::read(session, log, StreamId::new(from.version, 0), &mut len).await?,
        };
        let version = page.head.version().map_err(|error| named(log, error))?;
        let is_full = page.is_full;
        for Entry { id, event } in page.entries {
            if id != StreamId::new(from.version + 1, 0) {
                return Err(hole(log, from.version + 1, version));
            }
            from = Versioned { version: from.version + 1, state: apply(from.state, event?) };
        }
        // The script has seen both at the same moment.
        if !is_full && from.version < version {
            return Err(hole(log, from.version + 1, version));
        }
        if from.version > version {
            let why = format!("the log was deleted: it has the version {version}, and had {} before", from.version);
            return Err(trimmed(log.typed_key(), why));
        }
        if !is_full {
            return Ok(from);
        }
    }
}

#[cold]
fn hole<M: StreamModel>(log: &Log<M>, missing: u64, version: u64) -> Error {
    let why = format!(
        "the history was trimmed: the log has the version {version}, but not the event of version {missing}; a state cannot be \
         made without it"
    );
    trimmed(log.typed_key(), why)
}

fn named<M: StreamModel>(log: &Log<M>, error: Error) -> Error {
    error.about(log.typed_key().model(), log.key())
}
