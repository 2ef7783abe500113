//! What runs on a client for a long time.

use std::time::Duration;

/// Waits. Layers above this crate take their timers from here, so that they need no runtime of their own.
#[doc(hidden)]
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
