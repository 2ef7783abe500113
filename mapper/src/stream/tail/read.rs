//! The requests of a tail.

use std::ops::Bound;

use redis_rest::commands::stream::{StreamEntries, StreamId, StreamInfo};
use redis_rest::{Build, Command, ErrorKind, Executor, FromReply, Redis, Reply, Result, Slot, StreamCommands, Value};

use super::since::Since;
use crate::stream::entry::named;
use crate::stream::facts::{Facts, Position};
use crate::stream::{Entry, StreamModel, oversized};

/// What is read of one log.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) key: String,
    /// The last entry that was read.
    pub(super) id: StreamId,
    /// Whether that entry is read again, to see that it is there.
    pub(super) includes: bool,
    /// Whether to ask for the facts about the stream too.
    pub(super) facts: bool,
}

/// What was read of one log.
pub(super) struct Page<M> {
    /// The facts, if asked for.
    pub(super) facts: Option<Facts>,
    pub(super) entries: Vec<Entry<Result<M>>>,
    /// Whether there can be more.
    pub(super) is_full: bool,
}

/// Reads up to `count` entries of each log, in one request.
pub(super) async fn pages<M: StreamModel>(redis: Redis, asks: Vec<Ask>, count: u64) -> Result<Vec<Page<M>>> {
    let count = count.saturating_add(u64::from(asks.iter().any(|ask| ask.includes)));
    let (facts, mut streams) = if asks.iter().any(|ask| ask.facts) {
        // A transaction, so that the facts are those of the moment of the read.
        let mut batch = redis.atomic_batch();
        let slots: Vec<_> = asks.iter().map(|ask| ask.facts.then(|| xinfo::<M, _>(&mut batch, &ask.key))).collect();
        let read = (&mut batch).submit(xread::<M>(&asks, count));
        let replies = batch.exec().await?;
        let facts = slots.into_iter().map(|slot| slot.map(|slot| Facts::of_reply(replies.take(slot))).transpose());
        (facts.collect::<Result<Vec<_>>>()?, replies.take(read)?)
    } else {
        let read = redis.submit(xread::<M>(&asks, count)).await?;
        (asks.iter().map(|_| None).collect(), read)
    };
    let page = |(ask, facts): (Ask, _)| {
        let found = streams.iter().position(|stream| stream.key == ask.key).map(|at| streams.swap_remove(at));
        let entries = found.map(|stream| stream.entries).unwrap_or_default();
        let is_full = entries.len() as u64 >= count;
        let entries = entries.into_iter().map(|entry| named(entry, &ask.key, "XREAD"));
        Page { facts, entries: entries.collect(), is_full }
    };
    Ok(asks.into_iter().zip(facts).map(page).collect())
}

/// Reads one entry of each log, in a request for each. An entry that no reply has room for comes with that error.
pub(super) async fn entries<M: StreamModel>(redis: Redis, asks: Vec<Ask>) -> Result<Vec<Page<M>>> {
    let mut found = Vec::new();
    for ask in asks {
        match pages(redis.clone(), vec![ask.clone()], 1).await {
            Ok(pages) => found.extend(pages),
            Err(error) if error.kind() == ErrorKind::TooLarge => {
                let range = (Bound::Excluded(ask.id), Bound::Unbounded);
                let id = redis.submit(oversized::first_id(&ask.key, "XRANGE", range)).await?;
                let entries = id.map(|id| oversized::entry(id, error, &ask.key)).into_iter().collect();
                found.push(Page { facts: None, entries, is_full: true });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

type Streams<M> = Vec<StreamEntries<String, Result<M>>>;

fn xread<M: StreamModel>(asks: &[Ask], count: u64) -> Command<Streams<M>> {
    let after = |ask: &Ask| if ask.includes { before(ask.id) } else { ask.id };
    let command = Build.xread::<String, M>(asks.iter().map(|ask| (ask.key.as_str(), after(ask))), Some(count));
    match asks {
        [one] => command.about(M::MODEL_NAME, one.key.as_str()),
        _ => command,
    }
}

fn xinfo<M: StreamModel, E: Executor>(executor: E, key: &str) -> E::Out<StreamInfo<Value>> {
    executor.submit(Build.xinfo_stream::<Value>(key).about(M::MODEL_NAME, key))
}

/// The most entries that one request looks at to find the last ones.
const STEP: u64 = 500;

/// Finds the positions at which logs start. Only `Since::Now` and `Since::Last` cost a request, which they share;
/// `Last` takes more if it asks for more than 500 entries.
pub(super) async fn start<M: StreamModel>(redis: Redis, logs: Vec<(String, Since)>) -> Result<Vec<Position>> {
    let mut batch = redis.atomic_batch();
    let ask = |(key, since): (String, Since)| match since {
        Since::Start => Begin::Known(Position::START),
        Since::After(id) => Begin::Known(Position { id, rank: None }),
        Since::Now | Since::Last(0) => Begin::End(xinfo::<M, _>(&mut batch, &key)),
        Since::Last(count) => {
            let info = xinfo::<M, _>(&mut batch, &key);
            Begin::Last { info, ids: (&mut batch).submit(ids::<M>(&key, None, count)), count, key }
        }
    };
    let begins: Vec<_> = logs.into_iter().map(ask).collect();
    let replies = batch.exec().await?;
    let mut positions = Vec::new();
    for begin in begins {
        positions.push(match begin {
            Begin::Known(position) => position,
            Begin::End(info) => end(Facts::of_reply(replies.take(info))?),
            Begin::Last { info, ids, count, key } => {
                let end = end(Facts::of_reply(replies.take(info))?);
                last::<M>(&redis, &key, end, replies.take(ids)?, count).await?
            }
        });
    }
    Ok(positions)
}

/// How a position is found.
enum Begin {
    Known(Position),
    End(Slot<StreamInfo<Value>>),
    Last { info: Slot<StreamInfo<Value>>, ids: Slot<Vec<StreamId>>, count: u64, key: String },
}

fn end(facts: Facts) -> Position {
    Position { id: facts.last, rank: facts.added }
}

/// Returns the greatest id below `id`: reading after it includes `id`.
fn before(id: StreamId) -> StreamId {
    match (id.sequence.checked_sub(1), id.millis.checked_sub(1)) {
        (Some(sequence), _) => StreamId::new(id.millis, sequence),
        (None, Some(millis)) => StreamId::new(millis, u64::MAX),
        (None, None) => StreamId::MIN,
    }
}

/// Goes back from the end, of which `found` has the first ids, until `left` entries are found.
async fn last<M: StreamModel>(
    redis: &Redis,
    key: &str,
    mut position: Position,
    mut found: Vec<StreamId>,
    mut left: u64,
) -> Result<Position> {
    while let Some(oldest) = found.last().copied() {
        let count = found.len() as u64;
        let rank = position.rank.map(|rank| rank.saturating_sub(count));
        position = Position { id: before(oldest), rank };
        left = left.saturating_sub(count);
        if left == 0 || count < STEP {
            break;
        }
        found = redis.submit(ids::<M>(key, Some(oldest), left)).await?;
    }
    Ok(position)
}

/// Returns the ids of the last entries, below `below`.
fn ids<M: StreamModel>(key: &str, below: Option<StreamId>, left: u64) -> Command<Vec<StreamId>> {
    let end = below.map_or("+".to_owned(), |id| format!("({id}"));
    let command = Command::read("XREVRANGE").key(key).arg(end).arg("-").arg("COUNT").arg(left.min(STEP));
    let decode = |reply: Reply<'_>| {
        let id = |entry: Reply<'_>| {
            let [id, _] = entry.array_of()?;
            StreamId::from_reply(id)
        };
        reply.array()?.map(id).collect()
    };
    command.decode_with(decode).about(M::MODEL_NAME, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_before() {
        assert_eq!(before(StreamId::new(5, 3)), StreamId::new(5, 2));
        assert_eq!(before(StreamId::new(5, 0)), StreamId::new(4, u64::MAX));
        assert_eq!(before(StreamId::MIN), StreamId::MIN);
    }
}
