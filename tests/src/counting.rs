//! A transport that counts what a call sends.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};

use crate::direct::{Args, commands_of};

/// Counts the requests that pass through, and keeps their commands.
#[derive(Debug)]
pub struct Counting {
    inner: Arc<dyn Transport>,
    seen: Seen,
}

/// The requests that were sent, in order: the commands of each.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<Vec<Args>>>>);

impl Counting {
    /// Counts what `inner` sends.
    pub fn new(inner: Arc<dyn Transport>, seen: Seen) -> Self {
        Counting { inner, seen }
    }
}

impl Seen {
    /// Returns the requests since the last call, and forgets them.
    pub fn take(&self) -> Vec<Vec<Args>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Transport for Counting {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let commands = commands_of(&request).unwrap_or_default();
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).push(commands);
        self.inner.send(request).await
    }
}
