//! What a worker holds, and what it does next: decisions without any waiting, so that they can be read in one place.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use redis_rest::commands::stream::StreamId;

use super::counters::{Notice, Reporter};
use super::options::{Options, retry_delay};
use super::turn::{Answer, Fields, Operation, Settled, Taken, Ticket, Trimmed, Turn, What};

/// The longest text of an error that is kept with a dead letter, in bytes.
const LONGEST_ERROR: usize = 2000;

/// The most bytes of such texts in one request, which is larger than one of them.
const MOST_ERRORS: usize = 200_000;

/// How an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It waits until a handler is free.
    Queued,
    /// A request that starts it is to be sent, or under way.
    Starting,
    Running,
    /// It has failed, and waits for its delay.
    Waiting,
    /// A request that ends it is to be sent, or under way.
    Settling,
}

/// An entry that the worker holds.
#[derive(Debug)]
struct Held {
    stage: Stage,
    /// Its delivery count: how often its handling has begun.
    attempts: u64,
    fields: Fields,
    /// Whether it is known not to be that of the worker any more. It ends when its handler does.
    is_lost: bool,
    /// Whether it was removed from its stream. Nobody else can have it, so what its handler does counts.
    is_trimmed: bool,
    /// Whether an earlier request may have started it, whose reply was lost.
    may_be_started: bool,
    /// Whether a unit of work with its acknowledgement may have been committed.
    may_be_committed: bool,
    /// Why it is to be a dead letter, which the server has refused so far.
    is_dead_because: Option<String>,
}

impl Held {
    fn queued(fields: Fields) -> Held {
        Held {
            stage: Stage::Queued,
            attempts: 0,
            fields,
            is_lost: false,
            is_trimmed: false,
            may_be_started: false,
            may_be_committed: false,
            is_dead_because: None,
        }
    }
}

/// An entry to handle now.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) ticket: Ticket,
    pub(super) attempt: u64,
    pub(super) fields: Fields,
}

/// How a handler has ended.
#[derive(Debug)]
pub(super) enum Ended {
    Handled,
    /// It was acknowledged together with a unit of work.
    Committed,
    /// The unit of work was not committed, because the entry is not that of the worker any more.
    Fenced,
    Failed {
        why: String,
        /// Whether the entry is a dead letter without further attempts.
        is_final: bool,
        /// Whether a unit of work may have been committed.
        may_be_committed: bool,
    },
}

/// What follows.
#[derive(Debug)]
pub(super) enum Next {
    Handle(Start),
    /// The entry is queued again after this time.
    Wait(Ticket, Duration),
}

/// The entries of a worker, and what it is about to do.
#[derive(Debug)]
pub(super) struct Book<'a> {
    options: &'a Options,
    reporter: &'a Reporter<'a>,
    consumer: &'a str,
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
    /// How many entries the group had missed at the last look.
    missed: u64,
    is_stopping: bool,
    /// Whether no handler is called any more.
    is_over: bool,
    pub(super) is_poll_due: bool,
    pub(super) is_heartbeat_due: bool,
    pub(super) is_reclaim_due: bool,
    adopts: bool,
    /// Whether the request that is under way does.
    is_adopting: bool,
    /// Whether the group is known to have existed.
    has_seen_group: bool,
}

impl<'a> Book<'a> {
    pub(super) fn new(options: &'a Options, reporter: &'a Reporter<'a>, consumer: &'a str) -> Self {
        Book {
            options,
            reporter,
            consumer,
            held: BTreeMap::new(),
            queue: VecDeque::new(),
            operations: Vec::new(),
            sent: Vec::new(),
            wanted: 0,
            batch: options.batch,
            hides_fields: false,
            is_poll: false,
            missed: 0,
            is_stopping: false,
            is_over: false,
            is_poll_due: true,
            is_heartbeat_due: false,
            is_reclaim_due: true,
            adopts: false,
            is_adopting: false,
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
            if is_queued && self.begin(ticket, Stage::Starting, What::Start) {
                free -= 1;
            }
        }
        let room = self.options.most_pending.saturating_sub(self.held.len() as u64);
        // The queue lasts for as long as a request takes.
        let is_low = self.queue.len() < self.options.concurrency;
        let wanted = if self.is_stopping || !is_low { 0 } else { room.min(self.batch) };
        let polls = wanted > 0 && (self.is_poll_due || self.adopts);
        let beats = self.is_heartbeat_due && !self.held.is_empty();
        if self.is_heartbeat_due && self.held.is_empty() {
            self.is_heartbeat_due = false;
        }
        if self.operations.is_empty() && !polls && !beats {
            return None;
        }
        let reclaims = self.is_reclaim_due && wanted > 0;
        let adopts = self.adopts && wanted > 0;
        let names_held = beats || reclaims || adopts;
        let rest = self.operations.split_off(self.fitting());
        self.sent = std::mem::replace(&mut self.operations, rest);
        self.wanted = wanted;
        self.is_poll = wanted > 0 && self.is_poll_due;
        self.is_adopting = adopts;
        if wanted > 0 {
            (self.is_poll_due, self.adopts) = (false, false);
        }
        self.is_reclaim_due &= !reclaims;
        self.is_heartbeat_due &= !names_held;
        Some(Turn {
            operations: self.sent.clone(),
            held: if names_held { self.held.keys().copied().collect() } else { Vec::new() },
            reclaims,
            adopts,
            wanted,
            // A start whose reply is lost is not an attempt. That is known once, not if this reply is lost, too.
            starting: if adopts || self.hides_fields { 0 } else { free as u64 },
            hides_fields: self.hides_fields,
            recreates: self.has_seen_group,
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

    /// Takes the answer to the request. Returns whether it has found as many entries as were asked for, if it has asked.
    pub(super) fn answer(&mut self, answer: Answer, next: &mut Vec<Next>) -> Found {
        let Answer { is_recreated, settled, lost, trimmed, taken, missed } = answer;
        self.has_seen_group = true;
        if is_recreated {
            self.reporter.notice(&Notice::Recreated);
        }
        for (operation, outcome) in std::mem::take(&mut self.sent).into_iter().zip(settled) {
            self.settle(operation, &outcome, next);
        }
        for ticket in lost {
            self.lose(ticket);
        }
        for Trimmed { ticket, consumer, attempts } in trimmed {
            self.trim(ticket, &consumer, attempts);
        }
        if let Some(missed) = missed {
            // Some servers count them until the group has read as many again.
            let count = missed.saturating_sub(std::mem::replace(&mut self.missed, missed));
            if count > 0 {
                self.reporter.counters.add(|counters| &counters.missed, count);
                self.reporter.notice(&Notice::Missed { count });
            }
        }
        let found = match (self.wanted, taken.len() as u64) {
            (_, 0) if self.is_poll => Found::Nothing,
            (_, 0) => Found::NotAsked,
            (wanted, count) if count < wanted => Found::Some,
            _ => Found::AsManyAsAsked,
        };
        // There may be more than one reply has room for.
        self.adopts |= self.is_adopting && self.wanted > 0 && taken.len() as u64 >= self.wanted;
        if !taken.is_empty() {
            // What did not fit is behind now.
            self.hides_fields = false;
            // Slowly, so that few replies are too large again.
            self.batch = (self.batch + self.batch / 8 + 1).min(self.options.batch);
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
            Ended::Committed => self.finish(ticket, |counters| &counters.handled),
            // Nothing was committed. If the entry was removed, nobody else has it.
            Ended::Fenced => {
                self.held.remove(&ticket);
                if !is_trimmed {
                    self.report_loss(ticket.id);
                }
            }
            Ended::Handled if is_trimmed => self.finish(ticket, |counters| &counters.handled),
            Ended::Handled if is_lost => self.finish_as_duplicate(ticket),
            Ended::Handled => {
                self.begin(ticket, Stage::Settling, What::Acknowledge);
            }
            Ended::Failed { why, is_final, may_be_committed } => {
                held.may_be_committed |= may_be_committed;
                self.reporter.count(|counters| &counters.failed);
                let why = shortened(why);
                if is_lost || is_trimmed {
                    self.held.remove(&ticket);
                } else if is_final || attempts >= self.options.max_deliveries {
                    self.begin(ticket, Stage::Settling, What::Bury(why));
                } else if self.is_stopping {
                    self.begin(ticket, Stage::Settling, What::Release);
                } else {
                    let retry_in = retry_delay(self.options, attempts);
                    held.stage = Stage::Waiting;
                    let (id, attempt, error) = (ticket.id, attempts, why.as_str());
                    self.reporter.notice(&Notice::Failed { id, attempt, error, retry_in });
                    next.push(Next::Wait(ticket, retry_in));
                }
            }
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

    /// Adds an operation to the next request. Returns whether the entry is held.
    fn begin(&mut self, ticket: Ticket, stage: Stage, what: What) -> bool {
        let Some(held) = self.held.get_mut(&ticket) else { return false };
        held.stage = stage;
        let is_repeated = held.may_be_started && matches!(what, What::Start | What::Release);
        self.operations.push(Operation { what, ticket, attempts: held.attempts, is_repeated });
        true
    }

    fn settle(&mut self, operation: Operation, outcome: &Settled, next: &mut Vec<Next>) {
        let Operation { what, ticket, is_repeated, attempts } = operation;
        if *outcome == Settled::Trimmed {
            return self.trim(ticket, self.consumer, attempts);
        }
        if let (Settled::Refused(error), What::Bury(why)) = (outcome, &what) {
            return self.bury_later(ticket, why, error, next);
        }
        let is_done = *outcome == Settled::Done;
        match what {
            What::Start if is_done => self.start(ticket, next),
            // It is not pending any more because the unit was committed, although the reply was lost.
            What::Start | What::Bury(_) if !is_done && self.may_be_committed(ticket) => {
                self.finish(ticket, |counters| &counters.handled);
            }
            // A request whose reply was lost has settled it.
            What::Acknowledge if is_done || is_repeated => self.finish(ticket, |counters| &counters.handled),
            What::Acknowledge => self.finish_as_duplicate(ticket),
            What::Bury(error) if is_done || is_repeated => {
                self.finish(ticket, |counters| &counters.dead);
                self.reporter.notice(&Notice::Dead { id: ticket.id, error: &error });
            }
            What::Release => {
                self.held.remove(&ticket);
            }
            What::Start | What::Bury(_) => {
                self.held.remove(&ticket);
                self.report_loss(ticket.id);
            }
        }
    }

    /// Tries again after a while to make a dead letter.
    fn bury_later(&mut self, ticket: Ticket, why: &str, error: &str, next: &mut Vec<Next>) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        held.stage = Stage::Waiting;
        held.is_dead_because = Some(why.to_owned());
        let retry_in = retry_delay(self.options, held.attempts);
        self.reporter.notice(&Notice::NotBuried { id: ticket.id, error, retry_in });
        next.push(Next::Wait(ticket, retry_in));
    }

    fn may_be_committed(&self, ticket: Ticket) -> bool {
        self.held.get(&ticket).is_some_and(|held| held.may_be_committed)
    }

    fn start(&mut self, ticket: Ticket, next: &mut Vec<Next>) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        held.attempts += 1;
        held.may_be_started = false;
        self.handle(ticket, next);
    }

    /// Hands a started entry to a handler.
    fn handle(&mut self, ticket: Ticket, next: &mut Vec<Next>) {
        if self.is_over {
            self.begin(ticket, Stage::Settling, What::Release);
            return;
        }
        let Some(held) = self.held.get_mut(&ticket) else { return };
        held.stage = Stage::Running;
        if held.attempts > 1 {
            self.reporter.count(|counters| &counters.retried);
        }
        next.push(Next::Handle(Start { ticket, attempt: held.attempts, fields: held.fields.clone() }));
    }

    fn take(&mut self, entry: Taken, next: &mut Vec<Next>) {
        let Taken { ticket, attempts, is_started, is_adopted, from, fields } = entry;
        // The last start was perhaps that of a request whose reply was lost. If so, no handler has seen it.
        let may_be_started = is_adopted && attempts > 0;
        let Some(fields) = fields else { return self.bury_unseen(ticket, attempts) };
        let attempts = attempts - u64::from(may_be_started);
        if from.is_some_and(|from| from != self.consumer) {
            self.reporter.count(|counters| &counters.reclaimed);
        }
        self.held.insert(ticket, Held { attempts, may_be_started, ..Held::queued(fields) });
        if is_started {
            self.handle(ticket, next);
        } else if attempts >= self.options.max_deliveries {
            let why = format!("its handling has begun {attempts} times, and each time the worker died or was too slow");
            self.begin(ticket, Stage::Settling, What::Bury(why));
        } else if self.is_stopping {
            self.begin(ticket, Stage::Settling, What::Release);
        } else {
            self.queue.push_back(ticket);
        }
    }

    /// Makes a dead letter of an entry that this worker cannot read.
    fn bury_unseen(&mut self, ticket: Ticket, attempts: u64) {
        let held = Held { attempts, ..Held::queued(Fields::new()) };
        self.held.insert(ticket, held);
        let why = "the entry is larger than a reply may be; raise `max_response_bytes` of the client, and redrive it";
        self.begin(ticket, Stage::Settling, What::Bury(why.to_owned()));
    }

    /// Another consumer has the entry, or has settled it.
    fn lose(&mut self, ticket: Ticket) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        match held.stage {
            Stage::Running => held.is_lost = !held.is_trimmed,
            // The operation finds it out.
            Stage::Starting | Stage::Settling => {}
            _ if held.may_be_committed => self.finish(ticket, |counters| &counters.handled),
            Stage::Queued | Stage::Waiting => {
                self.held.remove(&ticket);
                self.report_loss(ticket.id);
            }
        }
    }

    fn trim(&mut self, ticket: Ticket, consumer: &str, attempts: u64) {
        self.reporter.count(|counters| &counters.trimmed);
        self.reporter.notice(&Notice::Trimmed { id: ticket.id, consumer, attempts });
        match self.held.get_mut(&ticket) {
            Some(held) if held.stage == Stage::Running => held.is_trimmed = true,
            _ => {
                self.held.remove(&ticket);
                self.operations.retain(|operation| operation.ticket != ticket);
            }
        }
    }

    fn finish(
        &mut self,
        ticket: Ticket,
        counter: impl FnOnce(&super::counters::Atomics) -> &std::sync::atomic::AtomicU64,
    ) {
        self.held.remove(&ticket);
        self.reporter.count(counter);
    }

    fn finish_as_duplicate(&mut self, ticket: Ticket) {
        self.finish(ticket, |counters| &counters.duplicates);
        self.reporter.notice(&Notice::Lost { id: ticket.id, was_handled: true });
    }

    fn report_loss(&self, id: StreamId) {
        self.reporter.count(|counters| &counters.lost);
        self.reporter.notice(&Notice::Lost { id, was_handled: false });
    }
}

/// What a poll has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The request was no poll.
    NotAsked,
    Nothing,
    Some,
    AsManyAsAsked,
}

fn shortened(mut why: String) -> String {
    if why.len() > LONGEST_ERROR {
        let end = (0..=LONGEST_ERROR).rev().find(|at| why.is_char_boundary(*at)).unwrap_or_default();
        why.truncate(end);
    }
    why
}
