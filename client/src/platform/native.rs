//! Where there are threads and sockets: tokio's clock and timers.

use std::sync::Arc;
use std::time::Duration;

pub use tokio::time::Instant;

pub(crate) use super::system::*;
use super::timer::{Timer, Wait};

/// The timers of the tokio runtime on which they are polled.
#[derive(Debug)]
struct TokioTimer;

impl Timer for TokioTimer {
    /// The wait rings even in a task that has used up its budget. Otherwise, what has used it up could have no limit.
    fn sleep(&self, duration: Duration) -> Wait {
        Box::pin(tokio::task::unconstrained(tokio::time::sleep(duration)))
    }
}

pub(crate) fn default_timer() -> Option<Arc<dyn Timer>> {
    Some(Arc::new(TokioTimer))
}
