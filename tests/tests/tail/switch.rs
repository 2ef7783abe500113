//! A transport whose subscriptions, or all of whose requests, can be refused, and which counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use redis_model::prelude::*;
use redis_model::redis_rest::transport::{Endpoint, Request, Response, Transport, TransportError};
use redis_model_tests::Stack;

/// What goes through the transport.
#[derive(Debug, Default)]
pub(crate) struct Switch {
    is_down: AtomicBool,
    is_stopped: AtomicBool,
    subscriptions: AtomicUsize,
    requests: AtomicUsize,
}

impl Switch {
    /// Refuses subscriptions, or no longer.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Refuses everything, or no longer.
    pub(crate) fn set_stopped(&self, is_stopped: bool) {
        self.is_stopped.store(is_stopped, Ordering::SeqCst);
    }

    /// The number of attempts to subscribe so far.
    pub(crate) fn subscriptions(&self) -> usize {
        self.subscriptions.load(Ordering::SeqCst)
    }

    /// The number of other requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// A client of the stack, through this switch.
    pub(crate) fn redis(self: &Arc<Self>, stack: &Stack) -> Redis {
        let switch = Arc::clone(self);
        stack.builder().wrap_transport(move |inner| Switched { inner, switch: Arc::clone(&switch) }).build().unwrap()
    }
}

#[derive(Debug)]
struct Switched {
    inner: Arc<dyn Transport>,
    switch: Arc<Switch>,
}

#[async_trait]
impl Transport for Switched {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_subscription = matches!(&request.endpoint, Endpoint::Path(path) if path.starts_with("/subscribe/"));
        if self.switch.is_stopped.load(Ordering::SeqCst) {
            return Err(TransportError::not_sent("connection refused, on purpose"));
        }
        if !is_subscription {
            self.switch.requests.fetch_add(1, Ordering::SeqCst);
            return self.inner.send(request).await;
        }
        self.switch.subscriptions.fetch_add(1, Ordering::SeqCst);
        if self.switch.is_down.load(Ordering::SeqCst) {
            return Err(TransportError::not_sent("connection refused, on purpose"));
        }
        self.inner.send(request).await
    }
}
