//! What differs from platform to platform: clocks, timers, variables, and chance. Threads and sockets are where they are
//! used.
//!
//! | platform | file | timers | HTTP |
//! | --- | --- | --- | --- |
//! | servers, functions, desktops | `native` | tokio | reqwest |
//! | JavaScript: Workers, browsers, Node | `js` | `setTimeout` | `fetch` |
//! | other WebAssembly: WASI | `wasi` | the user's | the user's |

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod system;
pub(crate) mod timer;

#[cfg_attr(not(target_family = "wasm"), path = "native.rs")]
#[cfg_attr(all(target_family = "wasm", target_os = "unknown"), path = "js.rs")]
#[cfg_attr(all(target_family = "wasm", not(target_os = "unknown")), path = "wasi.rs")]
mod here;

pub use self::here::Instant;
pub(crate) use self::here::{MAX_RESPONSE_BYTES, WHERE_SET, default_timer, host, now, variable};
pub use self::timer::Timer;

/// Returns a random number from 0 to 1, for waits. Without a source of random numbers it is always in the middle: waits are
/// right on average then, and clients that fail together return together.
#[doc(hidden)]
#[must_use]
pub fn random() -> f64 {
    // An `f64` has 53 bits of precision.
    getrandom::u64().map_or(0.5, |bits| (bits >> 11) as f64 / (1_u64 << 53) as f64)
}
