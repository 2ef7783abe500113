//! What follows when a request is answered, for each entry.

use redis_rest::commands::stream::StreamId;

use super::super::counters::{Counts, Notice};
use super::super::held::{Held, Next, Stage, Start};
use super::super::options::retry_delay;
use super::super::turn::{Fields, Operation, Settled, Taken, Ticket, What};
use super::Book;

impl Book<'_> {
    pub(super) fn settle(&mut self, operation: Operation, outcome: &Settled, next: &mut Vec<Next>) {
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
            What::Start | What::Bury(_) | What::Wait(_) if !is_done && self.may_be_committed(ticket) => {
                self.finish(ticket, |counts| &mut counts.handled);
            }
            // A request whose reply was lost has settled it.
            What::Acknowledge if is_done || is_repeated => self.finish(ticket, |counts| &mut counts.handled),
            What::Acknowledge => self.finish_as_duplicate(ticket),
            What::Bury(error) if is_done || is_repeated => {
                self.finish(ticket, |counts| &mut counts.dead);
                self.reporter.notice(&Notice::Dead { id: ticket.id, error: &error });
            }
            What::Wait(time) if is_done && !self.is_stopping => self.wait(ticket, time, next),
            What::Wait(_) if is_done => self.begin(ticket, Stage::Settling, What::Release),
            What::Release => {
                self.held.remove(&ticket);
            }
            What::Start | What::Bury(_) | What::Wait(_) => {
                self.held.remove(&ticket);
                self.report_loss(ticket.id);
            }
        }
    }

    /// Tries again after a while to make a dead letter.
    fn bury_later(&mut self, ticket: Ticket, why: &str, error: &str, next: &mut Vec<Next>) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        held.is_dead_because = Some(why.to_owned());
        let retry_in = retry_delay(self.options, held.attempts);
        self.reporter.notice(&Notice::NotBuried { id: ticket.id, error, retry_in });
        self.wait(ticket, retry_in, next);
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
            self.reporter.count(|counts| &mut counts.retried);
        }
        next.push(Next::Handle(Start { ticket, attempt: held.attempts, fields: held.fields.clone() }));
    }

    pub(super) fn take(&mut self, entry: Taken, next: &mut Vec<Next>) {
        let Taken { ticket, attempts, is_started, is_adopted, from, fields, wait } = entry;
        if self.delivered_again(ticket, attempts) {
            return;
        }
        // The last start was perhaps that of a request whose reply was lost. If so, no handler has seen it.
        let may_be_started = is_adopted && attempts > 0;
        let Some(fields) = fields else { return self.bury_unseen(ticket, attempts) };
        let attempts = attempts - u64::from(may_be_started);
        if from.is_some_and(|from| from != self.consumer) {
            self.reporter.count(|counts| &mut counts.reclaimed);
        }
        self.held.insert(ticket, Held { attempts, may_be_started, ..Held::queued(fields) });
        if is_started {
            self.handle(ticket, next);
        } else if attempts >= self.options.max_deliveries {
            let why = format!("its handling has begun {attempts} times, and each time the worker died or was too slow");
            self.begin(ticket, Stage::Settling, What::Bury(why));
        } else if self.is_stopping {
            self.begin(ticket, Stage::Settling, What::Release);
        } else if !wait.is_zero() {
            self.wait(ticket, wait, next);
        } else {
            self.queue.push_back(ticket);
        }
    }

    /// Takes a delivery of an entry that a handler has, or that is about to change: the position of the group was set
    /// back. Returns whether it is such an entry. The server has counted it from the start again.
    fn delivered_again(&mut self, ticket: Ticket, attempts: u64) -> bool {
        let Some(held) = self.held.get_mut(&ticket) else { return false };
        if matches!(held.stage, Stage::Queued | Stage::Waiting) {
            return false;
        }
        (held.attempts, held.is_lost) = (attempts, false);
        for operation in self.operations.iter_mut().filter(|operation| operation.ticket == ticket) {
            operation.attempts = attempts;
        }
        true
    }

    /// Makes a dead letter of an entry that this worker cannot read.
    fn bury_unseen(&mut self, ticket: Ticket, attempts: u64) {
        let held = Held { attempts, ..Held::queued(Fields::new()) };
        self.held.insert(ticket, held);
        let why = "the entry is larger than a reply may be; raise `max_response_bytes` of the client, and redrive it";
        self.begin(ticket, Stage::Settling, What::Bury(why.to_owned()));
    }

    /// Another consumer has the entry, or has settled it.
    pub(super) fn lose(&mut self, ticket: Ticket) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        match held.stage {
            Stage::Running => held.is_lost = !held.is_trimmed,
            // The operation finds it out.
            Stage::Starting | Stage::Settling => {}
            _ if held.may_be_committed => self.finish(ticket, |counts| &mut counts.handled),
            Stage::Queued | Stage::Waiting => {
                self.held.remove(&ticket);
                self.report_loss(ticket.id);
            }
        }
    }

    pub(super) fn trim(&mut self, ticket: Ticket, consumer: &str, attempts: u64) {
        if !self.told.insert(ticket) {
            return;
        }
        self.reporter.count(|counts| &mut counts.trimmed);
        self.reporter.notice(&Notice::Trimmed { id: ticket.id, consumer, attempts });
        match self.held.get_mut(&ticket) {
            Some(held) if held.stage == Stage::Running => held.is_trimmed = true,
            _ => {
                self.held.remove(&ticket);
                self.operations.retain(|operation| operation.ticket != ticket);
            }
        }
    }

    pub(super) fn finish(&mut self, ticket: Ticket, counter: impl FnOnce(&mut Counts) -> &mut u64) {
        self.held.remove(&ticket);
        self.reporter.count(counter);
    }

    pub(super) fn finish_as_duplicate(&mut self, ticket: Ticket) {
        self.finish(ticket, |counts| &mut counts.duplicates);
        self.reporter.notice(&Notice::Lost { id: ticket.id, was_handled: true });
    }

    pub(super) fn report_loss(&self, id: StreamId) {
        self.reporter.count(|counts| &mut counts.lost);
        self.reporter.notice(&Notice::Lost { id, was_handled: false });
    }
}
