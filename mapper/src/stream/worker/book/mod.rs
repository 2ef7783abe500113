//! What a worker holds, and what it does next: decisions without any waiting, so that they can be read in one place.

mod outcome;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use redis_rest::commands::stream::StreamId;

use super::counters::{Notice, Reporter};
use super::held::{Ended, Found, Held, Next, Stage};
use super::options::Options;
use super::options::retry_delay;
use super::turn::{self, Answer, Operation, Settled, Ticket, Trimmed, Turn, What};
use crate::failure::{Failure, Then};

/// The longest text of an error that is kept with a dead letter, in bytes.
const LONGEST_ERROR: usize = 2000;

/// The most bytes of such texts in one request, which is larger than one of them.
const MOST_ERRORS: usize = 200_000;

/// The entries of a worker, and what it is about to do.
#[derive(Debug)]
pub(super) struct Book<'a> {
    options: &'a Options,
    reporter: &'a Reporter<'a>,
    consumer: &'a str,
    /// How many requests there have been.
    turns: u64,
    /// The last one whose reply was lost, until the server knows that it is over: it may still be under way.
    overtaken: Option<u64>,
    held: BTreeMap<Ticket, Held>,
    queue: VecDeque<Ticket>,
    /// What the next request does.
    operations: Vec<Operation>,
    /// What the request that is under way does.
    sent: Vec<Operation>,
    /// How many entries the request that is under way asked for.
    wanted: u64,
    /// The most entries that one reply has room for: less than the batch after one was too large.
    batch: u64,
    /// Whether the next entry is taken without its fields: it does not fit a reply, even alone.
    hides_fields: bool,
    /// Whether that request was due because of the pace. Others ask on the side.
    is_poll: bool,
    /// How many entries the log had removed when their loss was reported, until the server knows that.
    reported: Option<u64>,
    /// The pending entries that were trimmed and reported, until they are not pending any more.
    told: BTreeSet<Ticket>,
    /// The first entry of the log when losses were last counted.
    first: StreamId,
    is_stopping: bool,
    /// Whether no handler is called any more.
    is_over: bool,
    pub(super) is_poll_due: bool,
    pub(super) is_heartbeat_due: bool,
    pub(super) is_reclaim_due: bool,
    adopts: bool,
    /// Whether the request that is under way does.
    is_adopting: bool,
    is_reclaiming: bool,
    /// Whether the group is known to have existed.
    has_seen_group: bool,
}

impl<'a> Book<'a> {
    pub(super) fn new(options: &'a Options, reporter: &'a Reporter<'a>, consumer: &'a str) -> Self {
        Book {
            options,
            reporter,
            consumer,
            turns: 0,
            overtaken: None,
            held: BTreeMap::new(),
            queue: VecDeque::new(),
            operations: Vec::new(),
            sent: Vec::new(),
            wanted: 0,
            batch: options.batch,
            hides_fields: false,
            is_poll: false,
            reported: None,
            told: BTreeSet::new(),
            first: StreamId::MIN,
            is_stopping: false,
            is_over: false,
            is_poll_due: true,
            is_heartbeat_due: false,
            is_reclaim_due: true,
            adopts: false,
            is_adopting: false,
            is_reclaiming: false,
            has_seen_group: options.start.is_some(),
        }
    }

    /// Returns whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Returns the next request, if there is a reason for one.
    pub(super) fn turn(&mut self) -> Option<Turn> {
        let busy = self.held.values().filter(|held| matches!(held.stage, Stage::Starting | Stage::Running)).count();
        let mut free = self.options.concurrency.saturating_sub(busy);
        while free > 0
            && !self.is_stopping
            && let Some(ticket) = self.queue.pop_front()
        {
            let is_queued = self.held.get(&ticket).is_some_and(|held| held.stage == Stage::Queued);
            if is_queued {
                self.begin(ticket, Stage::Starting, What::Start);
                free -= 1;
            }
        }
        let room = self.options.most_pending.saturating_sub(self.held.len() as u64);
        // Only what can be started at once: to start what is queued is a request, too, and an entry that was read with
        // it needs no second change of its delivery count.
        let wanted = if self.is_stopping { 0 } else { room.min(self.batch).min(free as u64) };
        let polls = wanted > 0 && (self.is_poll_due || self.adopts);
        let beats = self.is_heartbeat_due && !self.held.is_empty();
        if self.is_heartbeat_due && self.held.is_empty() {
            self.is_heartbeat_due = false;
        }
        if self.operations.is_empty() && self.told.is_empty() && !polls && !beats {
            return None;
        }
        // An idle worker looks for what others have left with each poll.
        let reclaims = wanted > 0 && (self.is_reclaim_due || (self.is_poll_due && self.held.is_empty()));
        let adopts = self.adopts && wanted > 0;
        let names_held = beats || reclaims || adopts;
        let rest = self.operations.split_off(self.fitting());
        self.sent = std::mem::replace(&mut self.operations, rest);
        turn::sort(&mut self.sent);
        self.wanted = wanted;
        self.is_poll = wanted > 0 && self.is_poll_due;
        (self.is_adopting, self.is_reclaiming) = (adopts, reclaims);
        if wanted > 0 {
            (self.is_poll_due, self.adopts) = (false, false);
        }
        self.is_reclaim_due &= !reclaims;
        self.is_heartbeat_due &= !names_held;
        self.turns += 1;
        Some(Turn {
            number: self.turns,
            overtaken: self.overtaken,
            operations: self.sent.clone(),
            told: self.told.iter().copied().collect(),
            held: if names_held { self.held.keys().copied().collect() } else { Vec::new() },
            reclaims,
            adopts,
            wanted,
            // A start whose reply is lost is not an attempt. That is known once, not if this reply is lost, too.
            starting: if adopts || self.hides_fields { 0 } else { free as u64 },
            hides_fields: self.hides_fields,
            recreates: self.has_seen_group,
            reported: self.reported,
            first: self.first,
        })
    }

    /// Returns how many of the operations one request has room for: errors can be long.
    fn fitting(&self) -> usize {
        let mut bytes = 0;
        let fits = |operation: &&Operation| {
            bytes += if let What::Bury(why) = &operation.what { why.len() } else { 0 };
            bytes <= MOST_ERRORS
        };
        self.operations.iter().take_while(fits).count()
    }

    /// Takes the answer to the request. Returns whether it has found as many entries as were asked for, if it has
    /// asked.
    pub(super) fn answer(&mut self, answer: Answer, next: &mut Vec<Next>) -> Found {
        let Answer { is_recreated, mut settled, lost, trimmed, taken, missed, removed, first } = answer;
        self.has_seen_group = true;
        self.overtaken = None;
        // It was told all of them.
        self.told.clear();
        if is_recreated {
            self.reporter.notice(&Notice::Recreated);
        }
        for (at, operation) in std::mem::take(&mut self.sent).into_iter().enumerate() {
            let outcome = settled.remove(&(at + 1)).unwrap_or(Settled::Done);
            self.settle(operation, &outcome, next);
        }
        for ticket in lost {
            self.lose(ticket);
        }
        for Trimmed { ticket, consumer, attempts } in trimmed {
            self.trim(ticket, &consumer, attempts);
        }
        let missed = missed.unwrap_or_default();
        self.first = first;
        // A request that asks for no entries tells the server nothing about losses.
        if self.wanted > 0 {
            self.reported = (missed > 0).then_some(removed);
        }
        if missed > 0 {
            self.reporter.counters.add(|counts| &mut counts.missed, missed);
            self.reporter.notice(&Notice::Missed { count: missed });
        }
        let found = match (self.wanted, taken.len() as u64) {
            // Nothing more is read before the loss is reported.
            _ if missed > 0 => Found::AsManyAsAsked,
            (_, 0) if self.is_poll => Found::Nothing,
            (_, 0) => Found::NotAsked,
            (wanted, count) if count < wanted => Found::Some,
            _ => Found::AsManyAsAsked,
        };
        // There may be more than was asked for.
        let is_full = self.wanted > 0 && taken.len() as u64 >= self.wanted;
        self.adopts |= self.is_adopting && is_full;
        self.is_reclaim_due |= self.is_reclaiming && is_full;
        if !taken.is_empty() {
            // What did not fit is behind now.
            self.hides_fields = false;
            // Slowly, so that few replies are too large again.
            self.batch = self.batch.saturating_add(self.batch / 8 + 1).min(self.options.batch);
        }
        for entry in taken {
            self.take(entry, next);
        }
        found
    }

    /// Repeats what the request was to do. If the reply may have had entries, they are pending with this worker now.
    pub(super) fn repeat(&mut self, may_have_executed: bool, is_too_large: bool) -> bool {
        if is_too_large {
            if self.wanted == 0 || self.hides_fields {
                return false;
            }
            self.hides_fields = self.wanted == 1;
            self.batch = (self.wanted / 2).max(1);
        }
        for mut operation in std::mem::take(&mut self.sent) {
            operation.is_repeated |= may_have_executed;
            self.operations.push(operation);
        }
        if may_have_executed {
            self.overtaken = Some(self.turns);
        }
        self.adopts |= may_have_executed && self.wanted > 0;
        self.is_poll_due |= self.wanted > 0;
        self.is_heartbeat_due = true;
        true
    }

    /// Takes the end of a handler.
    pub(super) fn end(&mut self, ticket: Ticket, ended: Ended, next: &mut Vec<Next>) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        let (attempts, is_lost, is_trimmed) = (held.attempts, held.is_lost, held.is_trimmed);
        match ended {
            Ended::Committed => self.finish(ticket, |counts| &mut counts.handled),
            // Nothing was committed. If the entry was removed, nobody else has it.
            Ended::Fenced => {
                self.held.remove(&ticket);
                if !is_trimmed {
                    self.report_loss(ticket.id);
                }
            }
            Ended::Handled if is_trimmed => self.finish(ticket, |counts| &mut counts.handled),
            Ended::Handled if is_lost => self.finish_as_duplicate(ticket),
            Ended::Handled => self.begin(ticket, Stage::Settling, What::Acknowledge),
            Ended::Failed { failure: Failure { why, then }, may_be_committed } => {
                held.may_be_committed |= may_be_committed;
                self.reporter.count(|counts| &mut counts.failed);
                let why = shortened(why);
                if is_lost || is_trimmed {
                    self.held.remove(&ticket);
                    return;
                }
                if then == Then::Dead || attempts >= self.options.max_deliveries {
                    self.begin(ticket, Stage::Settling, What::Bury(why));
                    return;
                }
                let retry_in = match then {
                    Then::RetryAfter(wait) => wait,
                    Then::Retry | Then::Dead => retry_delay(self.options, attempts),
                };
                let (id, attempt, error) = (ticket.id, attempts, why.as_str());
                self.reporter.notice(&Notice::Failed { id, attempt, error, retry_in });
                match then {
                    Then::RetryAfter(wait) => self.begin(ticket, Stage::Settling, What::Wait(wait)),
                    _ if self.is_stopping => self.begin(ticket, Stage::Settling, What::Release),
                    _ => self.wait(ticket, retry_in, next),
                }
            }
        }
    }

    fn wait(&mut self, ticket: Ticket, time: Duration, next: &mut Vec<Next>) {
        if let Some(held) = self.held.get_mut(&ticket) {
            held.stage = Stage::Waiting;
            next.push(Next::Wait(ticket, time));
        }
    }

    /// Queues an entry again whose delay is over.
    pub(super) fn requeue(&mut self, ticket: Ticket) {
        if let Some(held) = self.held.get_mut(&ticket)
            && held.stage == Stage::Waiting
        {
            if let Some(why) = held.is_dead_because.take() {
                self.begin(ticket, Stage::Settling, What::Bury(why));
                return;
            }
            held.stage = Stage::Queued;
            self.queue.push_front(ticket);
        }
    }

    /// Takes no more entries, and gives up those that no handler has.
    pub(super) fn stop(&mut self) {
        self.is_stopping = true;
        self.release(|stage| matches!(stage, Stage::Queued | Stage::Waiting));
        self.queue.clear();
    }

    /// Gives up the entries whose handlers were dropped, and calls no handler any more.
    pub(super) fn abandon(&mut self) {
        self.is_over = true;
        self.release(|stage| stage == Stage::Running);
    }

    fn release(&mut self, is_given_up: impl Fn(Stage) -> bool) {
        let tickets: Vec<_> =
            self.held.iter().filter(|(_, held)| is_given_up(held.stage)).map(|(key, _)| *key).collect();
        for ticket in tickets {
            self.begin(ticket, Stage::Settling, What::Release);
        }
    }

    /// Adds an operation to the next request.
    fn begin(&mut self, ticket: Ticket, stage: Stage, what: What) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        held.stage = stage;
        let is_repeated = held.may_be_started && matches!(what, What::Start | What::Release);
        self.operations.push(Operation { what, ticket, attempts: held.attempts, is_repeated });
    }
}

fn shortened(mut why: String) -> String {
    if why.len() > LONGEST_ERROR {
        let end = (0..=LONGEST_ERROR).rev().find(|at| why.is_char_boundary(*at)).unwrap_or_default();
        why.truncate(end);
    }
    why
}
