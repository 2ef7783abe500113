//! Dead letters: entries that a group has given up on, with their history, and the way back.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis_rest::StreamCommands;
use redis_rest::commands::stream::StreamId;
use redis_rest::{Build, Client, Command, Error, ErrorKind, Executor, FromReply, Reply, Result, ScriptCall};

use super::delivered::{read_event, unpacked};
use super::turn::{Fields, fields_of};
use crate::scripts::{MayPublish, lua, script};
use crate::stream::StreamModel;
use crate::stream::group::{Group, MOST};

static REDRIVE: LazyLock<MayPublish> = LazyLock::new(|| MayPublish::new(script(&[lua::GROUP_REDRIVE])));

/// An entry that a group has given up on: its handler has failed too often, or its event cannot be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeadLetter<M> {
    /// The id of the dead letter in the dead-letter stream.
    pub id: StreamId,
    /// The key of the log.
    pub log: String,
    /// The id of the entry in the log.
    pub source_id: StreamId,
    /// The group.
    pub group: String,
    /// The worker that has given it up.
    pub consumer: String,
    /// How often its handling had begun, since it was delivered or last redriven.
    pub deliveries: u64,
    /// How often it was moved back before.
    pub redrives: u64,
    /// The last error of the handler, or why the event cannot be read, in up to 2,000 bytes.
    pub error: String,
    /// When it was given up, by the server's clock.
    pub time: SystemTime,
    /// The event, or why it cannot be read.
    pub event: Result<M>,
    /// The fields of the event as they are stored.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The fields of the history, in this order, before those of the event.
const HISTORY: [&str; 8] =
    ["::log", "::id", "::group", "::consumer", "::deliveries", "::redrives", "::error", "::time"];

impl<M: StreamModel> DeadLetter<M> {
    fn read(id: StreamId, fields: Fields) -> Result<Self> {
        let mut fields = fields.into_iter();
        let mut history = HISTORY.map(|_| String::new());
        for (text, name) in history.iter_mut().zip(HISTORY) {
            match fields.next() {
                Some((found, Some(value))) if found == name.as_bytes() => {
                    *text = String::from_utf8_lossy(&value).into_owned();
                }
                _ => return Err(not_a_letter(id)),
            }
        }
        let [log, source_id, group, consumer, deliveries, redrives, error, time] = history;
        let number = |text: &str| text.parse::<u64>().map_err(|_| not_a_letter(id));
        let time = UNIX_EPOCH.checked_add(Duration::from_millis(number(&time)?)).unwrap_or(UNIX_EPOCH);
        let own: Fields = unpacked(&fields.collect::<Fields>()).into_owned();
        Ok(DeadLetter {
            id,
            log,
            source_id: source_id.parse().map_err(|_| not_a_letter(id))?,
            group,
            consumer,
            deliveries: number(&deliveries)?,
            redrives: number(&redrives)?,
            error,
            time,
            event: read_event(&own),
            fields: own.into_iter().map(|(name, text)| (name, text.unwrap_or_default())).collect(),
        })
    }
}

fn not_a_letter(id: StreamId) -> Error {
    Error::new(ErrorKind::Decode, format!("entry {id} is not a dead letter: another program has added it"))
}

impl<M: StreamModel> Group<M> {
    /// Returns up to `count` dead letters of the group after an id of the dead-letter stream, oldest first. Begin with
    /// `StreamId::MIN`, and go on with the [`id`](DeadLetter::id) of the last.
    ///
    /// [XRANGE](https://redis.io/docs/latest/commands/xrange/), O(n) in the entries. If groups or logs share the
    /// stream, their letters are among them; [`DeadLetter::group`] and [`DeadLetter::log`] tell them apart. An entry
    /// that is not a dead letter is an error of its own.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "order-events")]
    /// # enum OrderEvent { Paid { cents: i64 } }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let billing = OrderEvent::log(17).group("billing");
    /// for letter in billing.dead_letters(&redis, StreamId::MIN, 100).await? {
    ///     let letter = letter?;
    ///     println!("{} after {} attempts: {}", letter.source_id, letter.deliveries, letter.error);
    /// }
    /// let moved = billing.redrive(&redis, 100).await?; // handled again, by this group only
    /// # Ok(())
    /// # }
    /// ```
    pub fn dead_letters<E: Executor>(
        &self,
        executor: E,
        after: StreamId,
        count: u64,
    ) -> E::Out<Vec<Result<DeadLetter<M>>>> {
        let command = Command::read("XRANGE").key(self.dead_letters_key());
        // Nothing comes after the greatest id, and the server refuses to look there.
        let command =
            if after == StreamId::MAX { command.arg("+").arg("-") } else { command.arg(format!("({after}")).arg("+") };
        executor.submit(self.check(command.arg("COUNT").arg(count.clamp(1, MOST)).decode_with(read_letters)))
    }

    /// Returns the number of entries in the dead-letter stream, those of other groups and logs included.
    ///
    /// [XLEN](https://redis.io/docs/latest/commands/xlen/), O(1).
    pub fn count_dead_letters<E: Executor>(&self, executor: E) -> E::Out<u64> {
        executor.submit(self.check(Build.xlen(self.dead_letters_key())))
    }

    /// Deletes dead letters by their ids in the dead-letter stream, and returns how many existed.
    ///
    /// [XDEL](https://redis.io/docs/latest/commands/xdel/), O(1) for each.
    pub fn delete_dead_letters<E: Executor>(
        &self,
        executor: E,
        ids: impl IntoIterator<Item = StreamId>,
    ) -> E::Out<u64> {
        let ids: Vec<_> = ids.into_iter().collect();
        executor.submit(self.check(Build.xdel(self.dead_letters_key(), ids)))
    }

    /// Moves up to `count` dead letters of this group and log back, oldest first, and returns how many. Only this group
    /// handles them again: they go to a stream of its own (`order-events:17::retry:billing`), which its workers read
    /// beside the log. The log does not change, so no other group, tail or fold sees an event twice. Their delivery
    /// count begins at 0 again.
    ///
    /// A script for each 500 entries of the dead-letter stream. Each letter is moved once, also if a reply is lost: it
    /// is either in the one stream or in the other.
    pub fn redrive<C: Client>(&self, client: C, count: u64) -> C::Out<u64>
    where
        M: 'static,
    {
        let group = self.clone();
        client.run(move |session| async move {
            let (mut moved, mut start) = (0, String::from("-"));
            while moved < count {
                let command = group.redrive_command(&start, count - moved);
                let (more, last): (u64, Option<StreamId>) = (&session).submit(command).await?;
                moved += more;
                match last {
                    Some(last) => start = format!("({last}"),
                    None => break,
                }
            }
            Ok(moved)
        })
    }

    fn redrive_command(&self, start: &str, count: u64) -> Command<(u64, Option<StreamId>)> {
        let keys = [self.dead_letters_key(), self.retries_key()];
        let call = ScriptCall::from(REDRIVE.script(M::PUBLISH)).once_under(M::KEY_PREFIX).keys(&keys).arg(self.name());
        let call = call.arg(self.log().key()).arg(start).arg(count).arg(if M::PUBLISH { "1" } else { "" });
        self.check(call.command()).decode_with(|reply| {
            let (moved, last) = reply.text()?.split_once(' ').ok_or_else(|| reply.mismatch("a number and an id"))?;
            let moved = moved.parse().map_err(|_| reply.mismatch("a number"))?;
            Ok((moved, if last.is_empty() { None } else { Some(last.parse()?) }))
        })
    }
}

fn read_letters<M: StreamModel>(reply: Reply<'_>) -> Result<Vec<Result<DeadLetter<M>>>> {
    let letters = reply.array()?.map(|entry| {
        let [id, fields] = entry.array_of()?;
        let id = StreamId::from_reply(id)?;
        Ok(fields_of(fields).and_then(|fields| DeadLetter::read(id, fields)))
    });
    letters.collect()
}
