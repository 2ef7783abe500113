//! What a worker of a queue holds, and what it does next: decisions without any waiting.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::AbortHandle;
use redis_rest::{Error, ErrorKind, Instant};

use super::counters::{JobCounts, JobNotice};
use super::lease::{self, Lease};
use super::turn::{Answer, Operation, Outcome, TOO_LARGE, Turn, What};
use super::{Options, QueueWorker, WorkerJob};
use crate::failure::{Failure, Then};
use crate::list::push::MAX_TIME;
use crate::list::queue::reserve::{MAX_COUNT, Reserved, Ticket};
use crate::list::queue::settle::shortened;
use crate::pace::doubled;

/// The worker extends a reservation so many times while it lasts.
pub(super) const TICKS: u32 = 5;

/// The most bytes of errors in one request.
const MOST_ERRORS: usize = 200_000;

/// The most operations in one request, beside extensions.
const MOST_OPERATIONS: usize = 1000;

/// A job whose handler runs.
#[derive(Debug)]
struct Running {
    ticket: Ticket,
    attempt: u64,
    lease: Lease,
    abort: AbortHandle,
}

pub(super) struct Book<'a, M> {
    worker: &'a QueueWorker<M>,
    /// By the numbers of their reservations.
    running: BTreeMap<u64, Running>,
    /// What the next request settles.
    operations: Vec<Operation>,
    /// The request that is under way.
    sent: Option<Turn>,
    /// The number of the last request, and of the last one whose reply was read.
    number: u64,
    last_read: u64,
    /// How many jobs a request reserves at most: one after a reply that was too large, and then more again.
    most: u64,
    /// Whether not even one job fits into a reply.
    buries: bool,
    /// When it was last time to extend deadlines.
    ticked: Instant,
    /// When the request was sent that was answered last.
    answered: Instant,
    pub(super) is_poll_due: bool,
    is_beat_due: bool,
    is_stopping: bool,
}

/// What a poll has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The request was no poll.
    NotAsked,
    Nothing,
    Some,
    /// There may be more for handlers that are free.
    More,
}

impl<'a, M> Book<'a, M> {
    pub(super) fn new(worker: &'a QueueWorker<M>) -> Self {
        Book {
            worker,
            running: BTreeMap::new(),
            operations: Vec::new(),
            sent: None,
            number: 0,
            last_read: 0,
            most: MAX_COUNT,
            buries: false,
            ticked: Instant::now(),
            answered: Instant::now(),
            is_poll_due: true,
            is_beat_due: false,
            is_stopping: false,
        }
    }

    fn options(&self) -> &'a Options {
        &self.worker.options
    }

    fn count(&self, counter: impl FnOnce(&mut JobCounts) -> &mut u64) {
        self.worker.counters.add(counter);
    }

    pub(super) fn notice(&self, notice: &JobNotice<'_>) {
        let queue = self.worker.queue.key.as_str();
        match notice {
            JobNotice::Failed { id, attempt, error, retry_in } => {
                tracing::warn!(queue, id, attempt, error, retry_in = ?retry_in, "the handler failed");
            }
            JobNotice::Dead { id, error } => tracing::error!(queue, id, error, "the job is dead"),
            JobNotice::Lost { id, was_handled } => {
                tracing::warn!(queue, id, was_handled, "the reservation has ended");
            }
            JobNotice::Repeated { error } => tracing::warn!(queue, error = %error, "a request is repeated"),
        }
        if let Some(on_notice) = &self.options().on_notice {
            on_notice(notice);
        }
    }

    /// Whether it holds nothing, and knows that.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.operations.is_empty() && self.sent.is_none() && self.number == self.last_read
    }

    /// Reserves no more jobs.
    pub(super) fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// Gives back the jobs of all handlers, which the caller has dropped.
    pub(super) fn abandon(&mut self) {
        for (_, Running { ticket, attempt, .. }) in std::mem::take(&mut self.running) {
            self.settle(ticket, attempt, What::Release);
        }
    }

    /// Returns the next request, if one is needed and none is under way.
    pub(super) fn turn(&mut self) -> Option<&Turn> {
        if self.sent.is_some() {
            return None;
        }
        let free = self.options().concurrency.saturating_sub(self.running.len()) as u64;
        let wanted = if self.is_stopping || self.buries { 0 } else { free.min(self.most) };
        let is_in_doubt = self.number > self.last_read;
        let extensions = self.extensions();
        let is_poll = self.is_poll_due && wanted > 0;
        if extensions.is_empty() && self.operations.is_empty() && !is_poll && !is_in_doubt {
            return None;
        }
        let mut operations = self.settlements();
        operations.extend(extensions);
        self.number += 1;
        self.is_poll_due &= wanted == 0;
        self.is_beat_due = false;
        let Book { number, last_read, buries, .. } = *self;
        self.sent = Some(Turn { number, last_read, buries, wanted, sent: Instant::now(), operations });
        self.sent.as_ref()
    }

    /// Returns the extensions that are due: those of jobs that were not reserved or extended since the
    /// tick.
    fn extensions(&self) -> Vec<Operation> {
        let old = self.running.values().filter(|running| self.is_beat_due && running.lease.since() < self.ticked);
        old.map(|&Running { ticket, attempt, .. }| Operation {
            ticket,
            attempt,
            what: What::Extend,
            is_repeated: false,
        })
        .collect()
    }

    /// Takes what one request settles. Acknowledgements are first: a server that is full takes these, and refuses
    /// others.
    fn settlements(&mut self) -> Vec<Operation> {
        self.operations.sort_by_key(|operation| operation.what != What::Ack);
        let mut bytes = 0;
        let fitting = self.operations.iter().take(MOST_OPERATIONS).take_while(|operation| {
            bytes += if let What::Nack { why, .. } = &operation.what { why.len() } else { 0 };
            bytes <= MOST_ERRORS
        });
        let fitting = fitting.count();
        self.operations.drain(..fitting).collect()
    }

    /// Takes a reply. Returns the jobs that begin, and what the request has found.
    pub(super) fn answer(&mut self, answer: Answer<M>) -> (Vec<Reserved<M>>, Found) {
        let Some(turn) = self.sent.take() else { return (Vec::new(), Found::NotAsked) };
        self.answered = turn.sent;
        self.last_read = turn.number;
        self.buries = false;
        for id in answer.buried {
            self.die(id, TOO_LARGE);
        }
        for (operation, outcome) in turn.operations.into_iter().zip(answer.outcomes) {
            self.settled(operation, outcome, turn.sent);
        }
        let count = answer.jobs.len() as u64;
        // Not after replies that tell nothing about the size of jobs.
        self.most = if count > 0 { (self.most * 2).min(MAX_COUNT) } else { self.most };
        let is_late = self.is_stopping || turn.sent.elapsed() >= lease::time(self.worker.queue.hold_for);
        let mut jobs = Vec::new();
        for reserved in answer.jobs {
            if is_late {
                self.settle(reserved.ticket, reserved.attempt, What::Release);
            } else {
                jobs.push(reserved);
            }
        }
        let found = match turn.wanted {
            0 => Found::NotAsked,
            _ if answer.is_more || count == turn.wanted => Found::More,
            _ if count > 0 => Found::Some,
            _ => Found::Nothing,
        };
        (jobs, found)
    }

    /// The request failed, and is to be repeated. Returns whether that can help.
    pub(super) fn repeat(&mut self, error: &Error) -> bool {
        let Some(turn) = self.sent.take() else { return false };
        // A script that fails has executed what comes before.
        let may_be_executed = error.may_have_executed() || error.kind() == ErrorKind::Redis;
        for mut operation in turn.operations {
            if operation.what == What::Extend {
                self.is_beat_due = true;
            } else {
                operation.is_repeated |= may_be_executed;
                self.operations.push(operation);
            }
        }
        self.is_poll_due |= turn.wanted > 0;
        if error.kind() == ErrorKind::TooLarge {
            self.buries = turn.wanted == 1;
            self.most = 1;
            return turn.wanted > 0;
        }
        self.buries = turn.buries;
        true
    }

    /// Returns the job for its handler, which begins, and how long that may run. A job that cannot be read has none.
    pub(super) fn begin(&mut self, reserved: Reserved<M>, abort: AbortHandle) -> Option<(WorkerJob<M>, Lease)> {
        let Reserved { ticket, element, attempt, .. } = reserved;
        let job = match element {
            Ok(job) => job,
            Err(error) => {
                let failure =
                    if self.options().retries_undecodable { Failure::from(error) } else { Failure::dead(error) };
                self.fail(ticket, attempt, failure);
                return None;
            }
        };
        if attempt > 1 {
            self.count(|counts| &mut counts.retried);
        }
        let lease = Lease::new(self.answered, self.worker.queue.hold_for);
        self.running.insert(ticket.reservation(), Running { ticket, attempt, lease: lease.clone(), abort });
        Some((WorkerJob { job, ticket, attempt }, lease))
    }

    /// A handler has ended.
    pub(super) fn end(&mut self, reservation: u64, ended: Result<(), Failure>) {
        let Some(Running { ticket, attempt, .. }) = self.running.remove(&reservation) else { return };
        match ended {
            Ok(()) => self.settle(ticket, attempt, What::Ack),
            Err(failure) => self.fail(ticket, attempt, failure),
        }
    }

    /// Time has passed: deadlines are to be extended.
    pub(super) fn tick(&mut self) {
        self.ticked = Instant::now();
        self.is_beat_due = true;
    }

    fn fail(&mut self, ticket: Ticket, attempt: u64, failure: Failure) {
        self.count(|counts| &mut counts.failed);
        let retry_in = match failure.then {
            Then::Dead => None,
            Then::RetryAfter(wait) => Some(wait),
            Then::Retry => {
                let Options { retry_delay, longest_retry_delay, .. } = self.options();
                Some(doubled(*retry_delay, (*longest_retry_delay).min(MAX_TIME), attempt))
            }
        };
        self.settle(ticket, attempt, What::Nack { why: shortened(failure.why), retry_in });
    }

    fn settle(&mut self, ticket: Ticket, attempt: u64, what: What) {
        self.operations.push(Operation { ticket, attempt, what, is_repeated: false });
    }

    fn settled(&mut self, operation: Operation, outcome: Outcome, sent: Instant) {
        let Operation { ticket, attempt, what, is_repeated } = operation;
        let id = ticket.id();
        match (what, outcome) {
            (What::Extend, Outcome::Refused { .. }) => self.lose(ticket.reservation()),
            (What::Extend, _) => {
                if let Some(running) = self.running.get(&ticket.reservation()) {
                    running.lease.renew(sent);
                }
            }
            (What::Release, _) => {}
            (What::Ack, Outcome::Refused { is_gone }) if !(is_repeated && is_gone) => {
                self.count(|counts| &mut counts.duplicates);
                self.notice(&JobNotice::Lost { id, was_handled: true });
            }
            (What::Ack, _) => self.count(|counts| &mut counts.handled),
            (What::Nack { why, .. }, Outcome::Dead) => self.die(id, &why),
            (What::Nack { why, retry_in }, outcome) => {
                if matches!(outcome, Outcome::Refused { .. }) && !is_repeated {
                    self.count(|counts| &mut counts.lost);
                    self.notice(&JobNotice::Lost { id, was_handled: false });
                } else {
                    let retry_in = retry_in.unwrap_or(Duration::ZERO);
                    self.notice(&JobNotice::Failed { id, attempt, error: &why, retry_in });
                }
            }
        }
    }

    fn die(&self, id: u64, why: &str) {
        self.count(|counts| &mut counts.dead);
        self.notice(&JobNotice::Dead { id, error: why });
    }

    /// The reservation of a job has ended, or its lease: its handler is dropped.
    pub(super) fn lose(&mut self, reservation: u64) {
        let Some(running) = self.running.remove(&reservation) else { return };
        running.abort.abort();
        self.count(|counts| &mut counts.lost);
        self.notice(&JobNotice::Lost { id: running.ticket.id(), was_handled: false });
    }
}
