//! Typed event logs: a Redis stream at `prefix:key`, each entry a flat list of an event's fields.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use redis_rest::commands::stream::{StreamEntry, StreamId};
use redis_rest::{Build, Client, Command, Executor, FromReply, Paging, Reply, Result, StreamCommands};

use crate::codec::Kind;
use crate::key::{Key, KeyPart};
use crate::model::{Fields, FlatReply, Sink};

/// An event of typed logs, stored as the entry of a stream.
///
/// Implemented by `#[derive(RedisModel)]` with `#[redis(stream, prefix = "..")]`, on a struct or on an enum, whose
/// variant is the field `event` or what `tag = ".."` says.
///
/// ```
/// use redis_model::prelude::*;
/// use redis_model::redis_rest::Build;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, prefix = "order-events", max_len = 1_000_000)]
/// enum OrderEvent {
///     Placed { sku: String, quantity: u32 },
///     Paid { cents: i64 },
/// }
///
/// let args = OrderEvent::log("17").append(Build, &OrderEvent::Paid { cents: 990 }).args();
/// assert_eq!(args, ["XADD", "order-events:17", "MAXLEN", "~", "1000000", "*", "event", "Paid", "cents", "990"]);
/// ```
pub trait StreamModel: Fields {
    /// The type's name, for errors.
    const MODEL_NAME: &'static str;

    /// What the keys begin with, without the separator.
    const KEY_PREFIX: &'static str;

    /// About how many entries a log keeps; all of them without.
    const MAX_LEN: Option<u64>;

    /// The log at `prefix:key`.
    fn log(key: impl KeyPart) -> Log<Self> {
        Log { key: Key::new(Self::MODEL_NAME, Self::KEY_PREFIX, &key.to_key_part()), of: PhantomData }
    }
}

/// An event and its place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry<T> {
    /// Its id.
    pub id: StreamId,
    /// The event.
    pub event: T,
}

/// A log of `M`s; made by [`StreamModel::log`]. Naming it sends nothing.
pub struct Log<M> {
    key: Key,
    of: PhantomData<fn(M) -> M>,
}

/// How many entries one page of [`Log::entries`] has.
const PAGE: u64 = 500;

impl<M: StreamModel> Log<M> {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// Adds an event behind the last, and gives its id. `XADD`, O(1). When the connection breaks, it may have been
    /// added: it is not tried again.
    pub fn append<E: Executor>(&self, executor: E, event: &M) -> E::Out<StreamId> {
        executor.submit(self.add(event))
    }

    /// Adds events behind the last, with nothing of anybody else's in between, and gives their ids. `XADD`s in one
    /// transaction, O(n).
    pub fn append_many<'m, E: Executor>(
        &self,
        executor: E,
        events: impl IntoIterator<Item = &'m M>,
    ) -> E::Out<Vec<StreamId>> {
        let mut events = events.into_iter();
        let Some(first) = events.next() else {
            return executor.execute(self.key.push_to(Command::write("XADD")).reject("needs at least one event"));
        };
        let first = self.add(first).decode_with(|reply| Ok(vec![StreamId::from_reply(reply)?]));
        executor.submit(events.fold(first, |group, event| {
            group.and(self.add(event), |replies| replies.map(StreamId::from_reply).collect())
        }))
    }

    /// Up to `count` entries of a range of ids, oldest first. `XRANGE`, O(n).
    ///
    /// ```
    /// # use redis_model::prelude::*;
    /// # use redis_model::redis_rest::Build;
    /// # #[derive(RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// let log = Reading::log("roof");
    /// assert_eq!(log.range(Build, .., 100).args(), ["XRANGE", "temperature:roof", "-", "+", "COUNT", "100"]);
    /// let since = StreamId::new(1526919030474, 55);
    /// assert_eq!(log.range(Build, since.., 9).args(), ["XRANGE", "temperature:roof", "1526919030474-55", "+", "COUNT", "9"]);
    /// ```
    ///
    /// # Errors
    ///
    /// `Decode`, naming the entry, when one cannot be read; [`entries`](Log::entries) gives the others too.
    pub fn range<E: Executor>(
        &self,
        executor: E,
        range: impl RangeBounds<StreamId>,
        count: u64,
    ) -> E::Out<Vec<Entry<M>>> {
        executor.submit(self.xrange(range, count).decode_with(|reply| reply.array()?.map(read_entry).collect()))
    }

    fn xrange(&self, range: impl RangeBounds<StreamId>, count: u64) -> Command<Vec<StreamEntry<()>>> {
        self.key.check(Build.xrange(self.key(), range, Some(count)))
    }

    /// All entries of a range of ids, oldest first, a page at a time. Entries that are added meanwhile come too, if the
    /// range is open at its end.
    ///
    /// ```no_run
    /// # use redis_model::{Entry, prelude::*};
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = Reading::log("roof");
    /// let mut entries = log.entries(&redis, ..);
    /// while let Some(entry) = entries.next().await {
    ///     let Entry { id, event } = entry?;
    ///     println!("{id}: {event:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An entry that cannot be read is an `Err` that names it, and the stream goes on behind it.
    pub fn entries<C: Client>(&self, client: C, range: impl RangeBounds<StreamId>) -> C::Paged<Entry<M>>
    where
        M: Send + 'static,
    {
        let range = (range.start_bound().cloned(), range.end_bound().cloned());
        client.paged(Page { log: self.clone(), range })
    }

    /// How many entries there are. `XLEN`, O(1).
    pub fn len<E: Executor>(&self, executor: E) -> E::Out<u64> {
        executor.submit(self.key.check(Build.xlen(self.key())))
    }

    fn add(&self, event: &M) -> Command<StreamId> {
        let mut command = self.key.push_to(Command::write("XADD"));
        if let Some(max_len) = M::MAX_LEN {
            command = command.arg("MAXLEN").arg("~").arg(max_len);
        }
        let mut fields = Flat(Vec::new());
        match event.write(&mut fields) {
            // An event whose fields are all None could not be an entry: XADD wants at least one field.
            Ok(()) => command.arg("*").one_or_more_pairs("field that is not None", fields.0),
            Err(error) => command.fail(error),
        }
        .reply()
    }
}

/// A page of a log's entries.
struct Page<M> {
    log: Log<M>,
    range: (Bound<StreamId>, Bound<StreamId>),
}

impl<M: StreamModel + Send + 'static> Paging for Page<M> {
    type Item = Entry<M>;
    type Reply = Vec<(StreamId, Result<M>)>;

    fn command(&self) -> Command<Self::Reply> {
        self.log.xrange(self.range, PAGE).decode_with(read_each::<M>)
    }

    fn advance(self, reply: Self::Reply) -> (Vec<Result<Entry<M>>>, Option<Self>) {
        let Page { log, range: (_, end) } = self;
        let is_full = reply.len() as u64 == PAGE;
        let next = reply
            .last()
            .filter(|(last, _)| is_full && *last != StreamId::MAX)
            .map(|(last, _)| (Bound::Excluded(*last), end));
        let entries = reply.into_iter().map(|(id, event)| match event {
            Ok(event) => Ok(Entry { id, event }),
            Err(error) => Err(error.about(M::MODEL_NAME, log.key())),
        });
        (entries.collect(), next.map(|range| Page { log: log.clone(), range }))
    }
}

impl<M> Clone for Log<M> {
    fn clone(&self) -> Self {
        Log { key: self.key.clone(), of: PhantomData }
    }
}

impl<M> fmt::Debug for Log<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("key", &self.key.as_str()).finish_non_exhaustive()
    }
}

struct Flat(Vec<(&'static str, String)>);

impl Sink for Flat {
    fn set(&mut self, name: &'static str, text: String, _: Kind) {
        self.0.push((name, text));
    }

    fn clear(&mut self, _: &'static str) {}
}

fn read_entry<M: StreamModel>(reply: Reply<'_>) -> Result<Entry<M>> {
    let (id, event) = read_event(reply)?;
    Ok(Entry { id, event: event? })
}

/// Each entry's id, and its event if that can be read.
fn read_each<M: StreamModel>(reply: Reply<'_>) -> Result<Vec<(StreamId, Result<M>)>> {
    reply.array()?.map(read_event).collect()
}

fn read_event<M: StreamModel>(reply: Reply<'_>) -> Result<(StreamId, Result<M>)> {
    let [id, fields] = reply.array_of()?;
    let id = StreamId::from_reply(id)?;
    let event = fields.pairs().and_then(|pairs| M::read(FlatReply(pairs)));
    Ok((id, event.map_err(|error| error.context(format!("entry {id}")))))
}
