//! One request of a worker: what it asks of the script `group_turn.lua`, and what that answers.

use std::sync::LazyLock;

use redis_rest::bytes::Bytes;
use redis_rest::commands::stream::StreamId;
use redis_rest::{Command, Error, ErrorKind, FromReply, Reply, Result, Script, ScriptCall};

use crate::millis::millis;
use crate::scripts::script;
use crate::stream::StreamModel;
use crate::stream::group::Group;

use super::options::Options;

/// It is not repeated by the client if it may have been executed: the worker repeats it, and knows then what that means.
static TURN: LazyLock<Script> = LazyLock::new(|| script(include_str!("../../scripts/group_turn.lua")).key_locking());

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
    /// Give it up, so that others can take it at once.
    Release,
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

/// A request.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) operations: Vec<Operation>,
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
}

/// The outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    Done,
    /// The entry is not that of the worker any more.
    Lost,
    /// The entry was removed from its stream while it was pending.
    Trimmed,
    /// The server does not add the dead letter, for this reason. The entry is still that of the worker.
    Refused(String),
}

impl FromReply for Settled {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match reply.bytes()? {
            b"ok" => Ok(Settled::Done),
            b"lost" => Ok(Settled::Lost),
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
}

/// A field of an entry, as it is stored.
pub(super) type Field = (Vec<u8>, Option<Vec<u8>>);

/// The fields of an entry.
pub(super) type Fields = Vec<Field>;

impl FromReply for Taken {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [stream, id, attempts, state, from, fields] = reply.array_of()?;
        let state = u8::from_reply(state)?;
        Ok(Taken {
            ticket: Ticket::read(stream, id)?,
            attempts: u64::from_reply(attempts)?,
            is_started: state == 1,
            is_adopted: state == 2,
            from: Option::<Bytes>::from_reply(from)?.map(|from| lossy(&from)),
            fields: if fields.is_nil() { None } else { Some(fields_of(fields)?) },
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
    /// The outcome of each operation.
    pub(super) settled: Vec<Settled>,
    pub(super) lost: Vec<Ticket>,
    pub(super) trimmed: Vec<Trimmed>,
    pub(super) taken: Vec<Taken>,
    /// How many entries were trimmed before they were delivered, if that was looked at.
    pub(super) missed: Option<u64>,
}

impl FromReply for Answer {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let mut parts = reply.array()?;
        let status = parts.expect_next()?;
        if status.bytes()? == b"nogroup" {
            return Err(Error::new(
                ErrorKind::NotFound,
                "NOGROUP: there is no such group; if it is the one of `existing_group`, check its name, or `create` it; if it was \
                 destroyed while the worker ran, its position is lost: create it again with `create_at`, after the last entry \
                 that was handled, and start the worker again",
            ));
        }
        Ok(Answer {
            is_recreated: status.bytes()? == b"recreated",
            settled: FromReply::from_reply(parts.expect_next()?)?,
            lost: FromReply::from_reply(parts.expect_next()?)?,
            trimmed: FromReply::from_reply(parts.expect_next()?)?,
            taken: FromReply::from_reply(parts.expect_next()?)?,
            missed: u64::try_from(i64::from_reply(parts.expect_next()?)?).ok(),
        })
    }
}

impl Turn {
    /// Returns the command that makes the request.
    pub(super) fn command<M: StreamModel>(
        &self,
        group: &Group<M>,
        consumer: &str,
        options: &Options,
    ) -> Command<Answer> {
        let keys = [group.log().key().to_owned(), group.retries_key(), group.dead_letters_key()];
        let flag = |condition: bool| if condition { "1" } else { "" };
        let reclaim_idle = if self.reclaims { millis(options.reclaim_idle).to_string() } else { String::new() };
        let mut call = ScriptCall::from(&TURN).keys(&keys).arg(group.name()).arg(consumer);
        call = call.arg(options.most_pending).arg(options.max_deliveries).arg(reclaim_idle).arg(flag(self.adopts));
        call = call.arg(self.wanted).arg(self.starting).arg(flag(self.hides_fields));
        call = call.arg(flag(self.recreates)).arg(self.held.len());
        for ticket in &self.held {
            call = call.arg(ticket.stream()).arg(ticket.id);
        }
        call = call.arg(self.operations.len());
        for Operation { what, ticket, attempts, is_repeated } in &self.operations {
            let (what, detail) = match what {
                What::Start => ("start", ""),
                What::Acknowledge => ("ack", ""),
                What::Bury(why) => ("dead", why.as_str()),
                What::Release => ("release", ""),
            };
            call =
                call.arg(what).arg(ticket.stream()).arg(ticket.id).arg(*attempts).arg(flag(*is_repeated)).arg(detail);
        }
        group.check(call.command()).decode_with(Answer::from_reply)
    }
}
