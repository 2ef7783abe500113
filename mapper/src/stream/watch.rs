//! When a reader of logs reads next: at the start, when a subscription becomes active or breaks, when a message names
//! an id that was not read yet, and when a timer runs out. Tails and projections that follow share it; it does not
//! read itself.

use std::task::{Context, Poll};

use redis_rest::commands::stream::StreamId;
use redis_rest::{Error, Redis};

use super::tail::Polling;
use super::wake::Wake;
use crate::pace::Pace;
use crate::waiting::Timer;

/// Why a read begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// Time has passed.
    Timer,
    /// Something says that there is something to read.
    Wake,
}

/// When to read. The logs are numbered in the order of their keys.
pub(super) struct Watch {
    redis: Redis,
    ears: Vec<Ear>,
    polling: Polling,
    pace: Pace,
    /// The waits after failed reads.
    backoff: Pace,
    /// Why a read is needed, if it is.
    due: Option<Due>,
    /// Until it runs out, no read begins.
    gap: Timer,
    /// When it runs out, a read is due.
    timer: Timer,
    /// The number of failed reads in a row.
    failures: u32,
}

/// What is announced about one log.
struct Ear {
    wake: Wake,
    /// The greatest id that was announced, if it was not read yet.
    wanted: Option<StreamId>,
    /// The same when the last read began.
    asked: Option<StreamId>,
    /// Whether that read did not find it.
    is_overdue: bool,
    /// Whether all entries found lately were announced.
    is_announced: bool,
}

impl Watch {
    /// Begins with a read.
    pub(super) fn new<'k>(
        redis: &Redis,
        keys: impl IntoIterator<Item = &'k str>,
        listens: bool,
        polling: Polling,
    ) -> Self {
        let ear = |key| {
            let wake = if listens { Wake::on(redis.clone(), key) } else { Wake::off(redis.clone(), key) };
            Ear { wake, wanted: None, asked: None, is_overdue: false, is_announced: true }
        };
        Watch {
            redis: redis.clone(),
            ears: keys.into_iter().map(ear).collect(),
            pace: polling.pace(),
            backoff: polling.backoff(),
            polling,
            due: Some(Due::Wake),
            gap: Timer::default(),
            timer: Timer::default(),
            failures: 0,
        }
    }

    /// Hears the wake-ups of all logs. `read` returns up to where a log was read.
    pub(super) fn listen(&mut self, cx: &mut Context<'_>, read: impl Fn(usize) -> Option<StreamId>) {
        for (number, ear) in self.ears.iter_mut().enumerate() {
            let (has_changed, is_woken) = ear.listen(cx, read(number));
            // After a failure, the backoff has the say.
            if has_changed || (is_woken && self.failures == 0) {
                self.due = self.due.max(Some(Due::Wake));
            }
        }
    }

    /// Returns why a read is due. It counts as begun then.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        if self.gap.is_set() && !self.gap.is_due(cx) {
            return Poll::Pending;
        }
        let due = match self.due.take() {
            Some(due) => due,
            None => {
                if !self.timer.is_set() {
                    self.timer = Timer::after(&self.redis, self.pace.next());
                }
                if !self.timer.is_due(cx) {
                    return Poll::Pending;
                }
                Due::Timer
            }
        };
        self.timer = Timer::default();
        self.gap = Timer::after(&self.redis, self.polling.gap());
        // What is announced from now on may be missing in the read.
        self.ears.iter_mut().for_each(|ear| ear.asked = ear.wanted);
        Poll::Ready(due)
    }

    /// The read of a log has come to `read`, and has found entries or not.
    pub(super) fn has_read(&mut self, number: usize, due: Due, read: Option<StreamId>, is_found: bool) {
        if let Some(ear) = self.ears.get_mut(number) {
            ear.heed(due, read, is_found);
        }
        if is_found {
            self.pace.quicken();
        }
    }

    /// What was announced of a log is of one that does not exist any more.
    pub(super) fn forget(&mut self, number: usize) {
        self.ears.get_mut(number).into_iter().for_each(Ear::forget_wanted);
    }

    /// The last read has succeeded.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.backoff.quicken();
    }

    /// The next read begins at once.
    pub(super) fn read_on(&mut self) {
        self.due = Some(Due::Wake);
        self.gap = Timer::default();
    }

    /// There is nothing more to read. The next read begins when there is a reason.
    pub(super) fn rest(&mut self) {
        if self.pace.is_slowest() {
            // What was announced so long ago does not come.
            self.ears.iter_mut().for_each(Ear::forget_wanted);
        }
        let is_told = self.ears.iter().all(Ear::is_told);
        self.timer = Timer::after(&self.redis, if is_told { self.polling.until_safe() } else { self.pace.next() });
    }

    /// The last read has failed. Returns how many have in a row. The next begins after a wait.
    pub(super) fn failed(&mut self, error: &Error) -> u32 {
        self.failures = self.failures.saturating_add(1);
        let wait = self.backoff.next().saturating_add(error.retry_after().unwrap_or_default());
        self.gap = Timer::after(&self.redis, wait);
        self.due = Some(Due::Wake);
        self.failures
    }
}

impl Ear {
    /// Hears the wake-ups. Returns whether the subscription has begun or ended, and whether there is news.
    fn listen(&mut self, cx: &mut Context<'_>, read: Option<StreamId>) -> (bool, bool) {
        let heard = self.wake.poll(cx);
        self.is_announced |= heard.newest.is_some() || heard.anything;
        let is_news = heard.newest.is_some() && heard.newest > read;
        if is_news {
            self.wanted = self.wanted.max(heard.newest);
        }
        // While an announced entry is overdue, the timer has the say: else a stranger who announces what never comes
        // would set the pace.
        (heard.has_changed, (is_news || heard.anything) && !self.is_overdue)
    }

    /// Draws conclusions from a read.
    fn heed(&mut self, due: Due, read: Option<StreamId>, is_found: bool) {
        if is_found && due == Due::Timer && self.wanted.is_none() && self.wake.is_listening() {
            // A timer found what nobody has announced: somebody appends without publishing, or messages are lost.
            self.is_announced = false;
        }
        self.is_overdue = self.asked > read;
        if self.wanted <= read {
            self.wanted = None;
        }
    }

    /// Whether new entries are announced, and none is overdue.
    fn is_told(&self) -> bool {
        self.wake.is_listening() && self.is_announced && !self.is_overdue
    }

    fn forget_wanted(&mut self) {
        (self.wanted, self.asked, self.is_overdue) = (None, None, false);
    }
}
