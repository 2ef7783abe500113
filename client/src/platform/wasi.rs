//! WebAssembly without JavaScript. It has clocks and variables, but no async runtime that all programs share: the user sets a
//! timer and a transport.

use std::sync::Arc;
pub use std::time::Instant;
use std::time::SystemTime;

use super::timer::Timer;

pub(crate) fn default_timer() -> Option<Arc<dyn Timer>> {
    None
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
