//! How connections are kept, by both transports of this crate.

use std::time::Duration;

/// After so long without traffic, the system asks whether the other end is still there. A subscription sends nothing, so
/// only this detects that the other end is gone.
pub(super) const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long it waits for each answer.
pub(super) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// After so many missing answers, the connection is broken.
pub(super) const KEEPALIVE_RETRIES: u32 = 3;

/// How long a connection may wait for its next request. Servers and load balancers close theirs after a minute or later.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(50);
