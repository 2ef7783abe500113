//! One request of a worker: what it asks of the script `queue_turn.lua`, and what that answers.

use std::time::Duration;

use redis_rest::{Command, Instant, Reply, Result};

use super::run::Settings;
use crate::list::ListModel;
use crate::list::queue::reserve::{Reserved, Ticket, jobs};
use crate::list::queue::script::{TURN, millis, some_millis, texts};
use crate::write::{Netstrings, malformed};

/// What becomes of a job that the worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Ack,
    /// Give it back after this delay, or make it dead.
    Nack {
        why: String,
        retry_in: Option<Duration>,
    },
    /// Give it back at once, as if it had not been reserved.
    Release,
    Extend,
}

#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) ticket: Ticket,
    pub(super) attempt: u64,
    pub(super) what: What,
    /// Whether an earlier request may have executed it.
    pub(super) is_repeated: bool,
}

/// A request.
#[derive(Debug)]
pub(super) struct Turn {
    /// Counts the requests of the worker, from 1.
    pub(super) number: u64,
    /// The last one whose reply the worker has read. Jobs that a later one has reserved are given back.
    pub(super) last_read: u64,
    /// Whether such jobs are dead instead: not even one of them fits into a reply.
    pub(super) buries: bool,
    /// How many jobs are reserved at most.
    pub(super) wanted: u64,
    /// When it was sent: what the age of reservations is counted from.
    pub(super) sent: Instant,
    pub(super) operations: Vec<Operation>,
}

/// The outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// It waits again.
    Back,
    Dead,
    /// The job was not that of the worker. `is_gone`: it does not exist.
    Refused {
        is_gone: bool,
    },
}

#[derive(Debug)]
pub(super) struct Answer<M> {
    pub(super) outcomes: Vec<Outcome>,
    /// The ids of jobs that died because they do not fit into a reply.
    pub(super) buried: Vec<u64>,
    /// Whether another job waits that did not fit beside the others.
    pub(super) is_more: bool,
    pub(super) jobs: Vec<Reserved<M>>,
}

/// Why a job is dead that no worker has seen.
pub(super) const TOO_LARGE: &str =
    "the job is larger than a reply may be; raise `max_response_bytes` of the client, and retry it";

impl Turn {
    pub(super) fn command<M: ListModel>(&self, settings: &Settings<'_, M>) -> Result<Command<Answer<M>>> {
        let Settings { queue, worker, turn_key, .. } = settings;
        let hold_for = some_millis("the time of `hold_for`", queue.hold_for)?;
        let mut call = queue
            .lone_call(&TURN)
            .key(*turn_key)
            .arg(0)
            .arg(self.number)
            .arg(self.last_read)
            .arg(if self.buries { TOO_LARGE } else { "" })
            .arg(self.wanted)
            .arg(hold_for)
            .arg(queue.max_attempts)
            .arg(*worker);
        for Operation { ticket, what, .. } in &self.operations {
            call = call.arg(ticket.id()).arg(ticket.reservation());
            call = match what {
                What::Ack => call.arg("ack").arg(0).arg(0).arg(""),
                What::Release => call.arg("release").arg(0).arg(0).arg(""),
                What::Extend => call.arg("extend").arg(hold_for).arg(0).arg(""),
                What::Nack { why, retry_in: None } => call.arg("nack").arg(0).arg(0).arg(why),
                What::Nack { why, retry_in: Some(delay) } => {
                    call.arg("nack").arg(millis("the delay", *delay)?).arg(queue.max_attempts).arg(why)
                }
            };
        }
        let (operations, key) = (self.operations.len(), queue.key.as_str().to_owned());
        Ok(queue.command(call).decode_by(move |reply| read(reply, &key, operations)))
    }
}

fn read<M: ListModel>(reply: Reply<'_>, key: &str, operations: usize) -> Result<Answer<M>> {
    let mut texts = texts(reply)?;
    let outcomes = (0..operations).map(|_| outcome(&mut texts)).collect::<Result<_>>()?;
    let died = texts.number()?;
    let buried = (0..died).map(|_| texts.number()).collect::<Result<_>>()?;
    let is_more = texts.number()? == 1;
    Ok(Answer { outcomes, buried, is_more, jobs: jobs(texts, key)? })
}

fn outcome(texts: &mut Netstrings<'_>) -> Result<Outcome> {
    match &*texts.text()?.unwrap_or_default() {
        b"done" | b"reserved" => Ok(Outcome::Done),
        b"waiting" | b"delayed" => Ok(Outcome::Back),
        b"dead" => Ok(Outcome::Dead),
        b"taken" | b"free" => Ok(Outcome::Refused { is_gone: false }),
        b"gone" => Ok(Outcome::Refused { is_gone: true }),
        _ => Err(malformed()),
    }
}
