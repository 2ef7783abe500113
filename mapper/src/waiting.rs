//! What loops wait for that spawn no task: timers, handlers with a limit, and errors that pass.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use redis_rest::{Error, ErrorKind, Redis};

use crate::failure::Failure;

/// Waits for one thing at a time.
#[derive(Default)]
pub(crate) struct Timer(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Timer {
    /// Starts to wait, by the timer of the client.
    pub(crate) fn after(redis: &Redis, duration: Duration) -> Self {
        Timer(Some(redis.sleep(duration)))
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Returns whether the time is over, once.
    pub(crate) fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        let is_due = self.0.as_mut().is_some_and(|sleep| matches!(sleep.as_mut().poll(cx), Poll::Ready(())));
        if is_due {
            self.0 = None;
        }
        is_due
    }
}

/// Runs a handler for a limited time. One that takes longer is dropped, and has failed.
pub(crate) async fn within<T>(
    redis: &Redis,
    limit: Option<Duration>,
    handler: impl Future<Output = T>,
) -> Result<T, Failure> {
    let Some(limit) = limit else { return Ok(handler.await) };
    match select(pin!(handler), redis.sleep(limit)).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(_) => Err(format!("the handler has taken longer than {limit:?}").into()),
    }
}

/// Returns whether the same request can succeed later. A proxy can answer with a page of its own for a while: the
/// client reports that at once, and a worker outlasts it.
pub(crate) fn can_be_repeated(error: &Error) -> bool {
    error.is_transient() || error.kind() == ErrorKind::Protocol
}

/// Returns how long to wait before a request is repeated: what the service asks for, and then between half of the
/// backoff and all of it. So workers that lost one server at the same time do not return at the same time.
pub(crate) fn wait_before_repeating(error: &Error, backoff: Duration) -> Duration {
    drawn_wait(error, backoff, redis_rest::random())
}

fn drawn_wait(error: &Error, backoff: Duration, draw: f64) -> Duration {
    let backoff = backoff.mul_f64(0.5 + draw.clamp(0.0, 1.0) / 2.0);
    error.retry_after().unwrap_or_default().saturating_add(backoff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_lost_one_server_do_not_return_in_step() {
        let error = Error::new(ErrorKind::Connect, "refused");
        let wait = |draw| drawn_wait(&error, Duration::from_secs(4), draw).as_millis();
        assert_eq!([0.0, 0.25, 1.0].map(wait), [2000, 2500, 4000]);
    }
}
