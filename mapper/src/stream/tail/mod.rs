//! Tails: the entries of logs, and then those that are added, as a stream that does not end.

mod engine;
mod options;
mod polling;
mod read;
mod since;
mod source;
mod token;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use redis_rest::{LiveClient, Redis, Result};

use self::engine::{Engine, Item, Step};
pub use self::options::TailOptions;
pub use self::polling::Polling;
pub use self::since::Since;
pub use self::token::TailToken;
use super::{Entry, Log, StreamModel};

/// The entries of a log, and then those that are added: a stream that does not end. [`Log::tail`] starts one, and
/// dropping it ends it.
///
/// Nothing is sent until it is polled, and everything happens while it is polled: it spawns no task. It holds at most
/// one [page](TailOptions::page) of entries. A consumer that is slow delays the next read, and nothing else.
///
/// # What is guaranteed
///
/// Each entry is yielded once, in order, without a gap between history and live entries. An event that cannot be read
/// is an entry with an error, see [`Entry`]. Single entries that somebody deletes
/// ([XDEL](https://redis.io/docs/latest/commands/xdel/)) before they are read are skipped without an error, as long
/// as an older entry exists.
///
/// # Wake-ups and polling
///
/// If the model has the attribute `publish`, the tail subscribes to the channel of the log, on which each append
/// publishes its last id. A message wakes the tail; many messages share one read, and an id that was read already
/// costs none. The messages are hints only. While the subscription does not work, or somebody appends without
/// publishing, the tail polls at an adaptive pace: [`Polling`] lists what an idle hour costs. A subscription that
/// breaks is opened again, after waits of 250 ms to a minute.
///
/// # Errors
///
/// The stream continues after each error except `InvalidInput`, which is the last item.
///
/// - [`Lagged`](redis_rest::Error::is_lagged): entries were trimmed before they were read, or may have been; the
///   message has their number if it is known. The next item is the first entry that exists.
/// - `Lagged`, too: the stream was deleted. The tail continues with the first entry of a new stream, whatever its id.
/// - any error of a read: it failed, [several times](TailOptions::retries) if it can succeed later. The next read
///   follows after a wait that doubles up to 30 seconds; poll the stream again.
/// - `InvalidInput`: the key of the log is malformed, or the [token](TailToken) names another log.
///
/// A deletion is noticed by the ids and by the number of entries that were ever added. It is not noticed if the new
/// stream grows past the position of the reader before the next read, and as many of its entries were trimmed as were
/// read of the old one, or have ids below that position. `Lagged` then counts only what exceeds that.
#[must_use = "a tail reads nothing until it is polled"]
pub struct Tail<M>(Engine<M>);

/// The entries of several logs: what [`Tail`] is for one. [`StreamModel::tail_many`] starts one.
///
/// Each read is one `XREAD` of all logs, and each log has a subscription of its own. Entries of one log come in order;
/// the order among logs is not defined, and a busy log does not hold up the others.
#[must_use = "a tail reads nothing until it is polled"]
pub struct TailMany<M> {
    engine: Engine<M>,
    logs: Vec<Arc<Log<M>>>,
}

/// An entry, and the log that it belongs to.
#[derive(Debug)]
pub struct LogEntry<M, T> {
    /// The log.
    pub log: Arc<Log<M>>,
    /// The entry.
    pub entry: Entry<T>,
}

impl<M: StreamModel + Send + 'static> Log<M> {
    /// Returns a stream of the entries of this log, and then of those that are added. With the blocking client it is
    /// an iterator. See [`Tail`].
    ///
    /// ```no_run
    /// use redis_model::Since;
    /// use redis_model::prelude::*;
    ///
    /// #[derive(Debug, RedisModel)]
    /// #[redis(stream, prefix = "chat", publish)]
    /// struct Said {
    ///     text: String,
    /// }
    ///
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let mut lobby = Said::log("lobby").tail(&redis, Since::Last(20));
    /// while let Some(entry) = lobby.next().await {
    ///     match entry {
    ///         Ok(entry) => match entry.event {
    ///             Ok(said) => println!("{}", said.text),
    ///             Err(error) => eprintln!("skipped: {error}"),
    ///         },
    ///         Err(error) if error.is_lagged() => eprintln!("missed: {error}"),
    ///         Err(error) => eprintln!("trying again: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn tail<C: LiveClient>(&self, client: C, since: impl Into<Since>) -> C::Live<Tail<M>> {
        self.tail_with(client, since, TailOptions::new())
    }

    /// As [`tail`](Log::tail), with options.
    pub fn tail_with<C: LiveClient>(
        &self,
        client: C,
        since: impl Into<Since>,
        options: TailOptions,
    ) -> C::Live<Tail<M>> {
        let logs = [(self.clone(), since.into())];
        client.live(move |redis| Tail(Engine::new(redis, &logs, options)))
    }
}

impl<M: StreamModel + Send + 'static> Tail<M> {
    /// Returns the next entry. It waits for one if there is none.
    pub async fn next(&mut self) -> Option<Result<Entry<Result<M>>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Fixes where the tail starts: entries that are added after this call has returned are certainly yielded. It has
    /// no effect if the tail has started.
    ///
    /// ```no_run
    /// # use redis_model::{Since, prelude::*};
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "chat", publish)]
    /// # struct Said { text: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = Said::log("lobby");
    /// let mut lobby = log.tail(&redis, Since::Now);
    /// lobby.started().await?;
    /// let id = log.append(&redis, &Said { text: "hello".into() }).await?;
    /// assert_eq!(lobby.next().await.unwrap()?.id, id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of a read. The next call tries again.
    pub async fn started(&mut self) -> Result<()> {
        started(&mut self.0).await
    }

    /// Returns where the tail stands: a tail that [resumes](TailOptions::resume) there continues after the last entry
    /// that this one has yielded. Before the tail has started, the token is empty.
    #[must_use]
    pub fn token(&self) -> TailToken {
        self.0.token()
    }
}

impl<M: StreamModel + Send + 'static> TailMany<M> {
    pub(super) fn new(redis: Redis, logs: &[(Log<M>, Since)], options: TailOptions) -> Self {
        let engine = Engine::new(redis, logs, options);
        TailMany { engine, logs: logs.iter().map(|(log, _)| Arc::new(log.clone())).collect() }
    }

    /// Returns the next entry. It waits for one if there is none, and returns `None` if there are no logs.
    pub async fn next(&mut self) -> Option<Result<LogEntry<M, Result<M>>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Fixes where the logs start. See [`Tail::started`].
    ///
    /// # Errors
    ///
    /// Those of a read. The next call tries again.
    pub async fn started(&mut self) -> Result<()> {
        started(&mut self.engine).await
    }

    /// Returns where the tail stands in each log. See [`Tail::token`].
    #[must_use]
    pub fn token(&self) -> TailToken {
        self.engine.token()
    }
}

async fn started<M: StreamModel + Send + 'static>(engine: &mut Engine<M>) -> Result<()> {
    poll_fn(|cx| {
        while !engine.has_started() {
            match engine.step(cx) {
                Step::Done => {}
                Step::Waits => return Poll::Pending,
                Step::Item(Some(Err(error))) => return Poll::Ready(Err(error)),
                Step::Item(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    })
    .await
}

fn poll_next<M: StreamModel + Send + 'static>(engine: &mut Engine<M>, cx: &mut Context<'_>) -> Poll<Option<Item<M>>> {
    loop {
        match engine.step(cx) {
            Step::Done => {}
            Step::Waits => return Poll::Pending,
            Step::Item(item) => return Poll::Ready(item),
        }
    }
}

// Nothing in them is pinned in place.
impl<M> Unpin for Tail<M> {}
impl<M> Unpin for TailMany<M> {}

impl<M: StreamModel + Send + 'static> Stream for Tail<M> {
    type Item = Result<Entry<Result<M>>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        poll_next(&mut self.0, cx).map(|item| item.map(|item| item.map(|(_, entry)| entry)))
    }
}

impl<M: StreamModel + Send + 'static> Stream for TailMany<M> {
    type Item = Result<LogEntry<M, Result<M>>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = std::task::ready!(poll_next(&mut self.engine, cx));
        Poll::Ready(item.and_then(|item| match item {
            Ok((number, entry)) => self.logs.get(number).map(|log| Ok(LogEntry { log: Arc::clone(log), entry })),
            Err(error) => Some(Err(error)),
        }))
    }
}

impl<M> fmt::Debug for Tail<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").finish_non_exhaustive()
    }
}

impl<M> fmt::Debug for TailMany<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailMany").field("logs", &self.logs).finish_non_exhaustive()
    }
}
