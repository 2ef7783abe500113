//! Timers, and futures with a limit.

use std::fmt;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// A wait, which ends when its time is over.
pub(crate) type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells a client when a time is over: for timeouts, for the waits between retries, and for all that waits in the layers
/// above. [`RedisBuilder::timer`](crate::RedisBuilder::timer) sets it.
///
/// By default, a client uses the timers of tokio, and in JavaScript `setTimeout`. WASI has neither: set a timer of your
/// async runtime there, as described in [Platforms](crate::guide::platforms).
///
/// ```
/// use std::pin::Pin;
/// use std::time::Duration;
/// use redis_rest::{Redis, Timer};
///
/// /// The timers of the crate `async-io`, which need no runtime.
/// #[derive(Debug)]
/// struct AsyncIo;
///
/// # mod async_io { pub struct Timer; impl Timer { pub async fn after(_: std::time::Duration) {} } }
/// impl Timer for AsyncIo {
///     fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
///         Box::pin(async move { async_io::Timer::after(duration).await; })
///     }
/// }
///
/// let redis = Redis::builder("https://example.upstash.io", "token").timer(AsyncIo).build()?;
/// # Ok::<(), redis_rest::Error>(())
/// ```
pub trait Timer: fmt::Debug + Send + Sync + 'static {
    /// Returns a future that is ready after `duration`, which is at most 30 years. The time starts with this call, or with
    /// the first poll, which follows at once.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The longest wait. Timers count in all kinds of units, and would panic or wrap around at [`Duration::MAX`].
pub(crate) const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// Waits by `timer`.
pub(crate) fn sleep(timer: &dyn Timer, duration: Duration) -> Wait {
    timer.sleep(duration.min(DECADES))
}

/// The time was over before the future was ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elapsed;

/// Runs `future` for up to `limit`. The caller pins it: passed by value, it would be copied, and be in the future of this
/// function twice.
pub(crate) async fn timeout<T>(
    timer: &dyn Timer,
    limit: Duration,
    mut future: Pin<&mut impl Future<Output = T>>,
) -> Result<T, Elapsed> {
    let mut wait: Option<Wait> = None;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        // What is ready at once, or fails at once, needs no timer.
        wait.get_or_insert_with(|| sleep(timer, limit)).as_mut().poll(cx).map(|()| Err(Elapsed))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Rings at once, and counts how often it was asked.
    #[derive(Debug, Default)]
    struct Impatient(Arc<AtomicUsize>);

    impl Timer for Impatient {
        fn sleep(&self, _: Duration) -> Wait {
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(ready(()))
        }
    }

    #[tokio::test]
    async fn a_limit_ends_what_is_not_ready() {
        let timer = Impatient::default();
        assert_eq!(timeout(&timer, Duration::MAX, pin!(ready(7))).await, Ok(7));
        assert_eq!(timer.0.load(Ordering::Relaxed), 0, "a future that is ready at once sets no timer");
        assert_eq!(timeout(&timer, Duration::MAX, pin!(pending::<()>())).await, Err(Elapsed));
        assert_eq!(timer.0.load(Ordering::Relaxed), 1);
    }

    /// It uses up the budget of its task each time it is polled.
    #[tokio::test]
    async fn a_limit_ends_what_is_always_busy() {
        let timer = crate::platform::default_timer().unwrap();
        let busy = async {
            loop {
                tokio::task::consume_budget().await;
            }
        };
        assert_eq!(timeout(&*timer, Duration::from_millis(20), pin!(busy)).await, Err(Elapsed));
    }
}
