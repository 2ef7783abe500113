//! WebAssembly without JavaScript. It has clocks and variables, but no async runtime that all programs share: the user sets a
//! timer and a transport.

use std::sync::Arc;
pub use std::time::Instant;

pub(crate) use super::system::*;
use super::timer::Timer;

pub(crate) fn default_timer() -> Option<Arc<dyn Timer>> {
    None
}
