//! One request of a worker: what it asks of the script `group_turn.lua`, and what that answers.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use redis_rest::bytes::Bytes;
use redis_rest::commands::stream::StreamId;
use redis_rest::{Command, Error, ErrorKind, FromReply, Reply, Result, Script, ScriptCall};

use crate::millis::millis;
use crate::scripts::{lua, script};
use crate::stream::StreamModel;
use crate::stream::group::Group;

use super::options::Options;

/// It is not repeated by the client if it may have been executed: the worker repeats it, and knows then what that
/// means.
static TURN: LazyLock<Script> = LazyLock::new(|| TURN_AND_ANNOUNCE.clone().key_locking());

/// Whether a script may publish while only its keys are locked is not known, so this one locks the database.
static TURN_AND_ANNOUNCE: LazyLock<Script> =
    LazyLock::new(|| script(&[lua::STREAM_FACTS, lua::STREAM_MISSED, lua::GROUP_TURN]));

/// An entry that a worker holds: one of the log, or a redriven one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    pub(super) is_redriven: bool,
    pub(super) id: StreamId,
}

impl Ticket {
    fn stream(self) -> u32 {
        if self.is_redriven { 2 } else { 1 }
    }
}

impl FromReply for Ticket {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [stream, id] = reply.array_of()?;
        Ticket::read(stream, id)
    }
}

impl Ticket {
    fn read(stream: Reply<'_>, id: Reply<'_>) -> Result<Self> {
        Ok(Ticket { is_redriven: u8::from_reply(stream)? == 2, id: StreamId::from_reply(id)? })
    }
}

/// What a worker does with an entry that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Begin to handle it.
    Start,
    Acknowledge,
    /// Move it to the dead-letter stream, for this reason.
    Bury(String),
    /// Note that it waits for so long, whoever has it then.
    Wait(Duration),
    /// Give it up, so that others can take it at once.
    Release,
}

impl What {
    /// Returns its name and a detail.
    fn words(&self) -> (&'static str, String) {
        match self {
            What::Start => ("start", String::new()),
            What::Acknowledge => ("ack", String::new()),
            What::Bury(why) => ("dead", why.clone()),
            What::Wait(time) => ("wait", millis(*time).to_string()),
            What::Release => ("release", String::new()),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) what: What,
    pub(super) ticket: Ticket,
    /// The delivery count that the entry has, if it is still that of the worker.
    pub(super) attempts: u64,
    /// Whether an earlier request may have executed it.
    pub(super) is_repeated: bool,
}

impl Operation {
    /// Whether the reply to an earlier start of the entry may have been lost.
    fn may_be_started(&self) -> bool {
        self.is_repeated && matches!(self.what, What::Start | What::Release)
    }

    /// Whether one call does both. Each dead letter has a call of its own.
    fn is_like(&self, other: &Operation) -> bool {
        !matches!(self.what, What::Bury(_)) && self.what == other.what && self.order() == other.order()
    }

    /// Sorts like operations next to each other.
    fn order(&self) -> (u32, u8, u64, bool) {
        let what = match self.what {
            What::Acknowledge => 0,
            What::Start => 1,
            What::Wait(_) => 2,
            What::Bury(_) => 3,
            What::Release => 4,
        };
        (self.ticket.stream(), what, self.attempts, self.may_be_started())
    }
}

/// Sorts operations as requests have them. What is alike stays in its order.
pub(super) fn sort(operations: &mut [Operation]) {
    operations.sort_by_key(Operation::order);
}

/// A request.
#[derive(Debug)]
pub(super) struct Turn {
    /// Counted from 1 in each run of a worker.
    pub(super) number: u64,
    /// The last of the earlier turns, if the server may still get one of them: it is to ignore them from now on.
    pub(super) overtaken: Option<u64>,
    pub(super) operations: Vec<Operation>,
    /// The entries that it has reported as trimmed, and that may still be pending.
    pub(super) told: Vec<Ticket>,
    /// What is kept alive.
    pub(super) held: Vec<Ticket>,
    /// Whether entries are taken from consumers that are dead.
    pub(super) reclaims: bool,
    /// Whether entries are taken that are pending with this worker, and that it does not hold: a reply was lost.
    pub(super) adopts: bool,
    /// How many entries are taken at most.
    pub(super) wanted: u64,
    /// How many of them are started at once.
    pub(super) starting: u64,
    /// Whether the entries come without their fields, because one of them is too large for a reply.
    pub(super) hides_fields: bool,
    /// Whether the group is created again if the log is gone. Otherwise that is an error.
    pub(super) recreates: bool,
    /// How many entries the log had removed when their loss was reported. Then the next ones can be read.
    pub(super) reported: Option<u64>,
    /// The first entry of the log when losses were last counted.
    pub(super) first: StreamId,
}

/// The outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    Done,
    /// The entry is not that of the worker any more.
    Lost,
    /// The entry was removed from its stream while it was pending. It stays pending until that is reported.
    Trimmed,
    /// The server does not add the dead letter, for this reason. The entry is still that of the worker.
    Refused(String),
}

impl FromReply for Settled {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match reply.bytes()? {
            b"trimmed" => Ok(Settled::Trimmed),
            other => match other.strip_prefix(b"refused ") {
                Some(why) => Ok(Settled::Refused(lossy(why))),
                None => Err(reply.mismatch("an outcome")),
            },
        }
    }
}

/// An entry that the worker now holds.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) ticket: Ticket,
    pub(super) attempts: u64,
    pub(super) is_started: bool,
    /// Whether it was pending with this worker already, which did not hold it.
    pub(super) is_adopted: bool,
    /// The consumer that it was pending with.
    pub(super) from: Option<String>,
    /// `None` if they were left out.
    pub(super) fields: Option<Fields>,
    /// How long it still waits, because an earlier handler asked for that.
    pub(super) wait: Duration,
}

/// A field of an entry, as it is stored.
pub(super) type Field = (Vec<u8>, Option<Vec<u8>>);

/// The fields of an entry.
pub(super) type Fields = Vec<Field>;

impl Taken {
    /// Reads the new entries of a stream, of which the first ones are started.
    fn read_new(reply: Reply<'_>, taken: &mut Vec<Taken>) -> Result<()> {
        let [stream, started, entries] = reply.array_of()?;
        let started = usize::from_reply(started)?;
        for (number, entry) in entries.array()?.enumerate() {
            let [id, fields] = entry.array_of()?;
            let is_started = number < started;
            taken.push(Taken {
                ticket: Ticket::read(stream, id)?,
                attempts: u64::from(is_started),
                is_started,
                is_adopted: false,
                from: None,
                fields: if fields.is_nil() { None } else { Some(fields_of(fields)?) },
                wait: Duration::ZERO,
            });
        }
        Ok(())
    }
}

impl FromReply for Taken {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [stream, id, attempts, state, from, fields, wait] = reply.array_of()?;
        let state = u8::from_reply(state)?;
        Ok(Taken {
            ticket: Ticket::read(stream, id)?,
            attempts: u64::from_reply(attempts)?,
            is_started: state == 1,
            is_adopted: state == 2,
            from: Option::<Bytes>::from_reply(from)?.map(|from| lossy(&from)),
            fields: if fields.is_nil() { None } else { Some(fields_of(fields)?) },
            wait: Duration::from_millis(u64::from_reply(wait)?),
        })
    }
}

/// Returns the name of a consumer. Other programs can choose bytes that are no text.
fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// Reads names and texts.
pub(super) fn fields_of(reply: Reply<'_>) -> Result<Fields> {
    reply.pairs()?.map(|(name, text)| Ok((name.bytes()?.to_vec(), Some(text.bytes()?.to_vec())))).collect()
}

/// A pending entry that was removed from its stream.
#[derive(Debug)]
pub(super) struct Trimmed {
    pub(super) ticket: Ticket,
    pub(super) consumer: String,
    pub(super) attempts: u64,
}

impl FromReply for Trimmed {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [stream, id, consumer, attempts] = reply.array_of()?;
        Ok(Trimmed {
            ticket: Ticket::read(stream, id)?,
            consumer: lossy(consumer.bytes()?),
            attempts: u64::from_reply(attempts)?,
        })
    }
}

/// The answer to a [`Turn`].
#[derive(Debug)]
pub(super) struct Answer {
    /// Whether the log was gone, and has been created again.
    pub(super) is_recreated: bool,
    /// The outcomes of the operations that are not done, by their numbers, counted from 1.
    pub(super) settled: BTreeMap<usize, Settled>,
    pub(super) lost: Vec<Ticket>,
    pub(super) trimmed: Vec<Trimmed>,
    pub(super) taken: Vec<Taken>,
    /// How many entries were trimmed before they were delivered, if that was looked at.
    pub(super) missed: Option<u64>,
    /// How many entries the log had removed then.
    pub(super) removed: u64,
    /// The first entry of the log when losses were last counted. `0-0` if there was none.
    pub(super) first: StreamId,
}

impl FromReply for Answer {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let mut parts = reply.array()?;
        let status = parts.expect_next()?;
        if status.bytes()? == b"nogroup" {
            return Err(Error::new(
                ErrorKind::NotFound,
                "NOGROUP: there is no such group; if it is the one of `existing_group`, check its name, or `create` \
                 it; if it was destroyed while the worker ran, its position is lost: create it again with \
                 `create_at`, after the last entry that was handled, and start the worker again",
            ));
        }
        let not_own: Vec<usize> = FromReply::from_reply(parts.expect_next()?)?;
        let others: Vec<(usize, Settled)> = FromReply::from_reply(parts.expect_next()?)?;
        let settled = not_own.into_iter().map(|number| (number, Settled::Lost)).chain(others).collect();
        let lost = FromReply::from_reply(parts.expect_next()?)?;
        let trimmed = FromReply::from_reply(parts.expect_next()?)?;
        let mut taken = FromReply::from_reply(parts.expect_next()?)?;
        for new in parts.expect_next()?.array()? {
            Taken::read_new(new, &mut taken)?;
        }
        let missed = u64::try_from(i64::from_reply(parts.expect_next()?)?).ok();
        let removed = u64::from_reply(parts.expect_next()?)?;
        let first = StreamId::from_reply(parts.expect_next()?)?;
        let is_recreated = status.bytes()? == b"recreated";
        Ok(Answer { is_recreated, settled, lost, trimmed, taken, missed, removed, first })
    }
}

impl Turn {
    /// Returns the command that makes the request. `run` is what no other run of a worker has.
    pub(super) fn command<M: StreamModel>(
        &self,
        group: &Group<M>,
        consumer: &str,
        options: &Options,
        run: &str,
    ) -> Command<Answer> {
        let keys = [group.log().key().to_owned(), group.retries_key(), group.dead_letters_key(), group.waits_key()];
        let flag = |condition: bool| if condition { "1" } else { "" };
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let announces = M::PUBLISH && self.operations.iter().any(|operation| operation.what == What::Release);
        let script = if announces { &TURN_AND_ANNOUNCE } else { &TURN };
        let mut call = ScriptCall::from(script).keys(&keys).arg(group.name()).arg(consumer);
        call = call.arg(options.most_pending).arg(options.max_deliveries);
        call = call.arg(number(self.reclaims.then(|| millis(options.reclaim_idle)))).arg(flag(self.adopts));
        call = call.arg(self.wanted).arg(self.starting).arg(flag(self.hides_fields));
        call = call.arg(flag(self.recreates)).arg(number(self.reported));
        call = call.arg(self.first).arg(flag(announces));
        call = call.arg(run).arg(self.number).arg(number(self.overtaken));
        for is_redriven in [false, true] {
            let own = self.operations.iter().map(|operation| operation.ticket);
            let ids = own.filter(|ticket| ticket.is_redriven == is_redriven).map(|ticket| ticket.id);
            let text = |id: Option<StreamId>, or: &str| id.map_or(or.to_owned(), |id| id.to_string());
            call = call.arg(ids.clone().count()).arg(text(ids.clone().min(), "-")).arg(text(ids.max(), "+"));
        }
        for tickets in [&self.told, &self.held] {
            call = call.arg(tickets.len());
            for ticket in tickets {
                call = call.arg(ticket.stream()).arg(ticket.id);
            }
        }
        let batches = self.operations.chunk_by(Operation::is_like);
        call = call.arg(batches.clone().count());
        for batch in batches {
            let Some(first) = batch.first() else { continue };
            let (what, detail) = first.what.words();
            call = call.arg(what).arg(first.ticket.stream()).arg(first.attempts).arg(flag(first.may_be_started()));
            call = call.arg(detail).arg(batch.len()).args(batch.iter().map(|operation| operation.ticket.id));
        }
        group.check(call.command()).decode_with(Answer::from_reply)
    }
}
