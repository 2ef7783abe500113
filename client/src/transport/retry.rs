//! When a request is sent again, and the loop that does it.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, sleep, timeout_at};

use super::backoff;
use crate::command::Safety;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::tape::History;

/// When a failed request is sent again.
///
/// A request that provably was not executed (no connection, 429) is always retried. One that may have been executed
/// (timeout, broken connection, 5xx) is retried only if it is idempotent; a pipeline only if all of it is.
/// `Retry-After` is honoured; otherwise the wait is exponential backoff with full jitter. All attempts together stay
/// within the [deadline](crate::RedisBuilder::deadline).
///
/// ```
/// use std::time::Duration;
/// use redis_rest::RetryPolicy;
///
/// let patient = RetryPolicy::default().retries(8).backoff(Duration::from_millis(20), Duration::from_secs(5));
/// let never = RetryPolicy::never();
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
    /// Each request is sent once.
    #[must_use]
    pub fn never() -> Self {
        RetryPolicy::default().retries(0)
    }

    /// How many times a request is sent again after it failed.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The wait before the first retry is random up to `base`; that bound doubles with each retry, up to `cap`.
    #[must_use]
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// Whether writes that may have been executed, and are not idempotent, are retried as well: an `INCR` can then
    /// count twice. Off by default.
    #[must_use]
    pub fn retry_uncertain_writes(mut self, writes: bool) -> Self {
        self.writes = writes;
        self
    }

    pub(crate) fn longest_backoff(&self) -> Duration {
        self.cap
    }

    pub(crate) fn most_retries(&self) -> u32 {
        self.retries
    }

    /// How long to wait before retry `number`, from 0: on top of what the service asks for, so that clients which it
    /// told the same do not come back together.
    pub(crate) fn wait(&self, error: &Error, number: u32) -> Duration {
        let backoff = backoff::delay(self.base, self.cap, number, fastrand::f64());
        error.retry_after().unwrap_or_default().saturating_add(backoff)
    }

    /// Whether what is the same twice as once would have been sent again after this error.
    pub(crate) fn repeats(&self, error: &Error) -> bool {
        error.attempts() <= self.retries && error.is_uncertain() && self.allows(error, Safety::Idempotent)
    }

    fn allows(&self, error: &Error, safety: Safety) -> bool {
        error.kind().is_transient() && (!error.is_uncertain() || safety != Safety::Once || self.writes)
    }
}

/// The time that one request has, and its retries.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) policy: RetryPolicy,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Duration,
}

/// How far the attempts at a request are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    /// When they end.
    pub(crate) deadline: Instant,
    /// How many there were.
    pub(crate) attempts: u32,
    /// Whether one of them may have been executed.
    pub(crate) may_have_executed: bool,
}

impl Begun {
    /// None yet, and so much time from now.
    pub(crate) fn now(deadline: Duration) -> Self {
        Begun::since(Instant::now(), deadline)
    }

    /// None yet, and so much time from then.
    pub(crate) fn since(then: Instant, deadline: Duration) -> Self {
        Begun { deadline: after(then, deadline), attempts: 0, may_have_executed: false }
    }
}

/// Calls `attempt` with its number, from 0 or where they were left, until it succeeds or must not be repeated.
///
/// Whatever the last attempt gives, the result tells whether any before it may have been executed.
pub(crate) async fn with_retries<T, F: Future<Output = Result<T>>>(
    limits: &Limits,
    begun: Begun,
    safety: Safety,
    mut attempt: impl FnMut(u32) -> F,
) -> Result<(T, History)> {
    let Begun { deadline, attempts, may_have_executed } = begun;
    let mut may_have_executed = may_have_executed && safety != Safety::Read;
    for number in attempts.. {
        let until = deadline.min(after(Instant::now(), limits.timeout));
        let result = match timeout_at(until, attempt(number)).await {
            Ok(result) => result,
            Err(_) => Err(Error::timeout("no reply in time")),
        };
        let error = match result {
            Ok(reply) => return Ok((reply, History { attempts: number + 1, may_have_executed })),
            Err(error) => error,
        };
        may_have_executed |= safety != Safety::Read && error.is_uncertain();
        let wait = limits.policy.wait(&error, number);
        let in_time = deadline.saturating_duration_since(Instant::now()) > wait;
        if number >= limits.policy.retries || !in_time || !limits.policy.allows(&error, safety) {
            return Err(error.with_attempts(number + 1).with_may_have_executed(may_have_executed));
        }
        tracing::debug!(kind = ?error.kind(), attempt = number + 1, wait = ?wait, "retrying");
        sleep(wait).await;
    }
    Err(Error::protocol("more attempts than can be counted"))
}

/// So long from then; a time that is as good as never where that cannot be counted.
fn after(then: Instant, duration: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    then + duration.min(NEVER)
}

/// The error for a response whose status is not a success.
pub(crate) fn status_error(status: StatusCode, headers: &HeaderMap, message: Option<String>) -> Error {
    let kind = match status.as_u16() {
        400 if message.as_ref().is_some_and(|text| text.contains("max request size exceeded")) => ErrorKind::TooLarge,
        400 | 405 if message.is_some() => ErrorKind::Server,
        401 | 403 => ErrorKind::Unauthorized,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        408 | 500.. => ErrorKind::Service,
        _ => ErrorKind::Rejected,
    };
    let error = match (kind, message) {
        (_, Some(text)) => Error::of_redis(kind, &text),
        (ErrorKind::Unauthorized, None) => Error::new(kind, "the token is wrong or missing"),
        (ErrorKind::RateLimited, None) => Error::new(kind, "too many requests"),
        (ErrorKind::TooLarge, None) => Error::new(kind, "the request is too large for the service"),
        (ErrorKind::Rejected, None) => Error::new(
            kind,
            format!(
                "the server answered with status {status} and no reason that can be read: does the URL point at a Redis REST endpoint?"
            ),
        ),
        (_, None) => Error::new(kind, format!("the service answered with status {status}")),
    };
    error.with_status(status.as_u16()).with_retry_after(retry_after(headers))
}

/// `Retry-After`, in seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn failure(safety: Safety, attempt: impl AsyncFn(u32) -> Error) -> Error {
        let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1));
        let limits = Limits { policy, timeout: Duration::from_secs(1), deadline: Duration::from_secs(5) };
        let attempt = &attempt;
        let begun = Begun::now(limits.deadline);
        with_retries::<(), _>(&limits, begun, safety, |number| async move { Err(attempt(number).await) })
            .await
            .unwrap_err()
    }

    async fn attempts(safety: Safety, kind: ErrorKind) -> (u32, bool) {
        let error = failure(safety, async |_| Error::new(kind, "")).await;
        (error.attempts(), error.may_have_executed())
    }

    #[tokio::test]
    async fn only_what_cannot_be_executed_twice_is_retried() {
        assert_eq!(attempts(Safety::Once, ErrorKind::Connect).await, (4, false));
        assert_eq!(attempts(Safety::Once, ErrorKind::RateLimited).await, (4, false));
        assert_eq!(attempts(Safety::Once, ErrorKind::Interrupted).await, (1, true));
        assert_eq!(attempts(Safety::Once, ErrorKind::Service).await, (1, true));
        assert_eq!(attempts(Safety::Idempotent, ErrorKind::Interrupted).await, (4, true));
        assert_eq!(attempts(Safety::Read, ErrorKind::Interrupted).await, (4, false));
        assert_eq!(attempts(Safety::Read, ErrorKind::Server).await, (1, false));
    }

    #[tokio::test]
    async fn an_uncertain_attempt_is_not_forgotten() {
        let error = failure(Safety::Idempotent, async |number| {
            Error::new(if number == 0 { ErrorKind::Interrupted } else { ErrorKind::Connect }, "")
        });
        assert!(error.await.may_have_executed());
    }

    #[tokio::test]
    async fn a_wait_past_the_deadline_is_not_begun() {
        let began = Instant::now();
        let hour = Some(Duration::from_secs(3600));
        let error = failure(Safety::Read, async |_| Error::new(ErrorKind::RateLimited, "").with_retry_after(hour));
        assert_eq!(error.await.attempts(), 1);
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let parse = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(parse("7"), Some(Duration::from_secs(7)));
        assert_eq!(parse("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
        assert!(parse(&soon).unwrap() > Duration::from_secs(20));
        assert_eq!(parse("soon"), None);
    }
}
