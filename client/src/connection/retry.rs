//! When a request is sent again, and the loop that does it.

use std::pin::pin;
use std::time::Duration;

use super::{backoff, trace};
use crate::command::{Attempts, Idempotency};
use crate::error::{Error, Result};
use crate::platform::timer::{self, DECADES};
use crate::platform::{self, Instant, Timer};

/// When a failed request is sent again.
///
/// Requests that were certainly not executed (no connection, 429) are always retried. Requests that may have been
/// executed (timeout, broken connection, 5xx) are retried only if they are idempotent: a pipeline only if every command in
/// it is. [`Request::exactly_once`](crate::Request::exactly_once) makes any command safe to retry, at the price of a script.
///
/// The wait before a retry is exponential backoff with full jitter, added to the time in `Retry-After` if the server sent
/// one. All attempts stay within the [deadline](crate::RedisBuilder::deadline).
///
/// ```
/// use std::time::Duration;
/// use redis_rest::RetryPolicy;
///
/// let patient = RetryPolicy::default().retries(8).backoff(Duration::from_millis(20), Duration::from_secs(5));
/// let redis = redis_rest::Redis::builder("https://example.upstash.io", "token").retry(patient).build()?;
/// # Ok::<(), redis_rest::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    retries: u32,
    base: Duration,
    cap: Duration,
    writes: bool,
}

impl Default for RetryPolicy {
    /// 3 retries, backing off from 50 ms to 2 s.
    fn default() -> Self {
        RetryPolicy { retries: 3, base: Duration::from_millis(50), cap: Duration::from_secs(2), writes: false }
    }
}

impl RetryPolicy {
    /// Sends each request once.
    #[must_use]
    pub fn never() -> Self {
        RetryPolicy::default().retries(0)
    }

    /// Sets how many times a failed request is sent again.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sets the backoff. The wait before the first retry is random, up to `base`. That bound doubles with each retry, up to
    /// `cap`.
    #[must_use]
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// Sets whether writes that may have been executed and are not idempotent are retried too: an `INCR` can then count
    /// twice. Off by default.
    #[must_use]
    pub fn retry_uncertain_writes(mut self, writes: bool) -> Self {
        self.writes = writes;
        self
    }

    pub(crate) fn max_backoff(&self) -> Duration {
        self.cap
    }

    pub(crate) fn max_retries(&self) -> u32 {
        self.retries
    }

    /// The wait before retry `number`, counted from 0. Backoff is added to the time that the service asks for, so that
    /// clients to which it answered the same do not return together.
    pub(crate) fn wait(&self, error: &Error, number: u32) -> Duration {
        let backoff = backoff::delay(self.base, self.cap, number, platform::random());
        error.retry_after().unwrap_or_default().saturating_add(backoff)
    }

    /// Whether an idempotent request is sent again after this error.
    pub(crate) fn repeats_idempotent(&self, error: &Error) -> bool {
        error.attempts() <= self.retries && error.is_uncertain() && self.allows(error, Idempotency::Idempotent)
    }

    fn allows(&self, error: &Error, idempotency: Idempotency) -> bool {
        let is_safe = !error.is_uncertain() || idempotency != Idempotency::NonIdempotent || self.writes;
        error.kind().is_transient() && is_safe
    }
}

/// The time that one request has, and when it is retried.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) policy: RetryPolicy,
    /// For one attempt.
    pub(crate) timeout: Duration,
    /// For all attempts.
    pub(crate) deadline: Duration,
}

/// The limits on the time of one call that replace those of the client.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Patience {
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
}

/// The attempts at a request so far, how long one may take, and the time by which the last must end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) timeout: Duration,
    pub(crate) deadline: Instant,
    pub(crate) attempts: Attempts,
}

impl Progress {
    /// The same attempts, with the more patient limits of the two.
    pub(crate) fn or_longer(self, other: Progress) -> Self {
        let (timeout, deadline) = (self.timeout.max(other.timeout), self.deadline.max(other.deadline));
        Progress { timeout, deadline, ..self }
    }
}

impl Limits {
    /// How long the server keeps the outcome of a command that executes once: twice as long as attempts at it are made.
    pub(crate) fn memory(&self, patience: Patience, extra: Duration) -> Duration {
        self.total(patience, extra).saturating_mul(2)
    }

    /// How long all attempts may take.
    fn total(&self, patience: Patience, extra: Duration) -> Duration {
        patience.deadline.unwrap_or(self.deadline.saturating_add(extra)).min(DECADES)
    }

    /// No attempts yet. The time starts now. `extra` is the time that the commands themselves ask the server to wait.
    pub(crate) fn starting_now(&self, patience: Patience, extra: Duration) -> Progress {
        Progress {
            timeout: patience.timeout.unwrap_or(self.timeout.saturating_add(extra)),
            deadline: Instant::now() + self.total(patience, extra),
            attempts: Attempts::default(),
        }
    }
}

/// Calls `attempt` with its number, counted from 0, until it succeeds or must not be repeated.
///
/// However the last attempt ends, the outcome tells whether an earlier one may have been executed.
pub(super) async fn until_final<T, F: Future<Output = Result<T>>>(
    policy: &RetryPolicy,
    timer: &dyn Timer,
    progress: Progress,
    idempotency: Idempotency,
    mut attempt: impl FnMut(u32) -> F,
) -> Result<(T, Attempts)> {
    let Progress { timeout, deadline, mut attempts } = progress;
    loop {
        let number = attempts.count();
        let now = Instant::now();
        let until = deadline.min(after(now, timeout));
        if number == 0 && until <= now {
            // A caller passes on what is left of its own time. The first poll of an attempt would send it nevertheless.
            return Err(Error::timeout("there was no time left to send it"));
        }
        let attempt = pin!(attempt(number));
        let result = match timer::timeout(timer, until.saturating_duration_since(now), attempt).await {
            Ok(result) => result,
            Err(_) => Err(Error::timeout("no reply in time")),
        };
        let error = match result {
            Ok(reply) => return Ok((reply, attempts.and_answered())),
            Err(error) => error,
        };
        attempts = attempts.and_failed(&error);
        let wait = policy.wait(&error, number);
        let in_time = deadline.saturating_duration_since(Instant::now()) > wait;
        if number >= policy.retries || !in_time || !policy.allows(&error, idempotency) {
            return Err(attempts.record_in(error, idempotency));
        }
        trace::retry(&error, attempts.count(), wait);
        timer::sleep(timer, wait).await;
    }
}

/// `duration` after `start`; decades later if the clock cannot count that far.
fn after(start: Instant, duration: Duration) -> Instant {
    start + duration.min(DECADES)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::error::ErrorKind;

    fn timer() -> Arc<dyn Timer> {
        platform::default_timer().unwrap()
    }

    async fn failure(idempotency: Idempotency, attempt: impl AsyncFn(u32) -> Error) -> Error {
        let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1));
        let limits = Limits { policy, timeout: Duration::from_secs(1), deadline: Duration::from_secs(5) };
        let attempt = &attempt;
        let progress = limits.starting_now(Patience::default(), Duration::ZERO);
        until_final::<(), _>(&limits.policy, &*timer(), progress, idempotency, |number| async move {
            Err(attempt(number).await)
        })
        .await
        .unwrap_err()
    }

    async fn attempts(idempotency: Idempotency, kind: ErrorKind) -> (u32, bool) {
        let error = failure(idempotency, async |_| Error::new(kind, "")).await;
        (error.attempts(), error.may_have_executed())
    }

    #[tokio::test]
    async fn only_what_cannot_be_executed_twice_is_retried() {
        assert_eq!(attempts(Idempotency::NonIdempotent, ErrorKind::Connect).await, (4, false));
        assert_eq!(attempts(Idempotency::NonIdempotent, ErrorKind::RateLimited).await, (4, false));
        assert_eq!(attempts(Idempotency::NonIdempotent, ErrorKind::Interrupted).await, (1, true));
        assert_eq!(attempts(Idempotency::NonIdempotent, ErrorKind::Unavailable).await, (1, true));
        assert_eq!(attempts(Idempotency::Idempotent, ErrorKind::Interrupted).await, (4, true));
        assert_eq!(attempts(Idempotency::ReadOnly, ErrorKind::Interrupted).await, (4, false));
        assert_eq!(attempts(Idempotency::ReadOnly, ErrorKind::Redis).await, (1, false));
    }

    #[tokio::test]
    async fn an_uncertain_attempt_is_not_forgotten() {
        let error = failure(Idempotency::Idempotent, async |number| {
            Error::new(if number == 0 { ErrorKind::Interrupted } else { ErrorKind::Connect }, "")
        });
        assert!(error.await.may_have_executed());
    }

    #[tokio::test]
    async fn nothing_is_sent_when_no_time_is_left() {
        let limits = Limits { policy: RetryPolicy::default(), timeout: Duration::MAX, deadline: Duration::MAX };
        let none = Some(Duration::ZERO);
        for patience in [Patience { timeout: none, deadline: None }, Patience { timeout: None, deadline: none }] {
            let progress = limits.starting_now(patience, Duration::ZERO);
            let attempt = async |_| -> Result<()> { panic!("it was sent") };
            let error = until_final(&limits.policy, &*timer(), progress, Idempotency::NonIdempotent, attempt)
                .await
                .unwrap_err();
            assert!(error.is_timeout() && !error.may_have_executed() && error.attempts() == 0, "{error}");
        }
    }

    #[tokio::test]
    async fn no_wait_starts_that_would_end_after_the_deadline() {
        let began = Instant::now();
        let hour = Some(Duration::from_secs(3600));
        let error =
            failure(Idempotency::ReadOnly, async |_| Error::new(ErrorKind::RateLimited, "").with_retry_after(hour));
        assert_eq!(error.await.attempts(), 1);
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
