//! How long a handler may run without news from the server, by the clock of the process. A process that stood still, or
//! a handler that blocked its thread, cannot make a deadline longer.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use redis_rest::{Instant, Redis};

use crate::waiting::Timer;

/// The time in which a job certainly is that of the worker. A clone is the same lease.
///
/// It begins when the request is sent that reserves the job, or extends its deadline, so it is over before the deadline
/// by at least a fifth.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    since: Arc<Mutex<Instant>>,
    time: Duration,
}

/// Returns how long a lease lasts after a request: four fifths of the reservation.
pub(super) fn time(hold_for: Duration) -> Duration {
    // Times are whole milliseconds, and at least one, on the server.
    hold_for.max(Duration::from_millis(1)) / 5 * 4
}

impl Lease {
    pub(super) fn new(since: Instant, hold_for: Duration) -> Self {
        Lease { since: Arc::new(Mutex::new(since)), time: time(hold_for) }
    }

    /// When the request was sent that has reserved the job, or that has extended its deadline last.
    pub(super) fn since(&self) -> Instant {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn renew(&self, since: Instant) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Returns what is left of it.
    fn left(&self) -> Duration {
        self.time.saturating_sub(self.since().elapsed())
    }

    /// Runs a handler for as long as the lease lasts, and drops it then. It is not polled after that.
    pub(super) async fn bind<T>(self, redis: &Redis, handler: impl Future<Output = T>) -> Option<T> {
        let mut handler = pin!(handler);
        let mut end = Timer::default();
        poll_fn(|cx| {
            loop {
                let left = self.left();
                if left.is_zero() {
                    return Poll::Ready(None);
                }
                if !end.is_set() {
                    end = Timer::after(redis, left);
                }
                // It may have been renewed since the timer was set.
                if !end.is_due(cx) {
                    return handler.as_mut().poll(cx).map(Some);
                }
            }
        })
        .await
    }
}
