//! What loops wait for that spawn no task: timers, futures with a limit, and errors that pass.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use redis_rest::{Error, ErrorKind};

/// Waits for one thing at a time.
#[derive(Default)]
pub(crate) struct Timer(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Timer {
    pub(crate) fn after(duration: Duration) -> Self {
        Timer(Some(Box::pin(redis_rest::sleep(duration))))
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

/// Runs a future for a limited time. Returns the limit if it has taken longer.
pub(crate) async fn within<T>(limit: Option<Duration>, future: impl Future<Output = T>) -> Result<T, Duration> {
    let Some(limit) = limit else { return Ok(future.await) };
    match select(pin!(future), pin!(redis_rest::sleep(limit))).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(_) => Err(limit),
    }
}

/// Returns whether the same request can succeed later.
pub(crate) fn is_transient(error: &Error) -> bool {
    use ErrorKind::{Connect, Interrupted, Protocol, RateLimited, Redis, Timeout, Unavailable};
    /// Errors of a server that is starting, full, or changing its role.
    const PASSING: [&str; 9] =
        ["LOADING", "BUSY", "OOM", "MISCONF", "READONLY", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"];
    match error.kind() {
        Connect | Timeout | Interrupted | Unavailable | RateLimited | Protocol => true,
        Redis => error.code().is_some_and(|code| PASSING.contains(&code)),
        _ => false,
    }
}
