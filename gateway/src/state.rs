//! The state that all requests of a gateway share.

use std::sync::atomic::AtomicU64;

use tokio::sync::watch;

use crate::backend::Backend;
use crate::policy::Policy;

/// The state that all requests share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) backend: Backend,
    pub(crate) policy: Policy,
    pub(crate) token: String,
    pub(crate) read_only_token: String,
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
