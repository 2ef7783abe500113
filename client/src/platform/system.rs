//! What an operating system gives, and WASI too: a clock, and the variables of the process.

use std::time::SystemTime;

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
