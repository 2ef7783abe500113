//! Where there are threads and sockets: tokio's clock and timers, and the variables of the process.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use tokio::time::Instant;

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

/// The size of the largest response, by default: room for the largest record of the service, 100 MB, in base64.
pub(crate) const MAX_RESPONSE_BYTES: usize = 128 << 20;

/// Where settings are set, if not in variables of the process.
pub(crate) const WHERE_SET: &str = "";

pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Returns an environment variable.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns the name of the platform, if it is known without a variable.
pub(crate) fn host() -> Option<&'static str> {
    None
}
