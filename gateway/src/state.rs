//! The state that all requests of a gateway share.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::watch;

use crate::auth::Tokens;
use crate::backend::Backend;
use crate::budget::Budget;
use crate::policy::Policy;
use crate::script::Scripts;

/// The state that all requests share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) backend: Backend,
    pub(crate) budget: Budget,
    pub(crate) policy: Policy,
    pub(crate) tokens: Tokens,
    pub(crate) scripts: Scripts,
    /// The time of silence after which an event stream gets a comment. Zero is never.
    pub(crate) heartbeat: Duration,
    pub(crate) max_request_bytes: usize,
    /// The number of responses so far.
    pub(crate) responses: AtomicU64,
    /// Is true when the gateway shuts down, and closes when it is dropped.
    pub(crate) stop: watch::Receiver<bool>,
}

impl State {
    /// Completes when the gateway shuts down or is dropped.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.clone();
        async move {
            // An error says that the gateway was dropped.
            let _ = stop.wait_for(|stopping| *stopping).await;
        }
    }
}
