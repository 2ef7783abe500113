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
    /// Closes when the gateway is dropped.
    pub(crate) stopped: watch::Receiver<()>,
}

impl State {
    /// Completes when the gateway is dropped.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stopped = self.stopped.clone();
        // Nothing is ever sent, so `changed` returns only an error, when the sender is dropped.
        async move { while stopped.changed().await.is_ok() {} }
    }
}
