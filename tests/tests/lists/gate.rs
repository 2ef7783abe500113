//! A transport that breaks connections as told, and keeps what was answered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use redis_model::redis_rest::RedisBuilder;
use redis_model::redis_rest::transport::{Body, Request, Response, Transport, TransportError};
use redis_model_tests::fault::Cut;

/// Breaks the next requests by the next cuts, and lets the others pass.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    shared: Arc<Mutex<Shared>>,
}

/// What stands between a client and its transport.
#[derive(Debug)]
struct Gated {
    inner: Arc<dyn Transport>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    cuts: VecDeque<Cut>,
    last: Option<Vec<u8>>,
}

impl Gate {
    /// Sets it before the transport of a client.
    pub(crate) fn before(&self, client: RedisBuilder) -> RedisBuilder {
        let shared = Arc::clone(&self.shared);
        client.wrap_transport(move |inner| Gated { inner, shared: Arc::clone(&shared) })
    }

    /// Sets the cuts of the next requests, and forgets what was answered.
    pub(crate) fn set(&self, cuts: impl IntoIterator<Item = Cut>) {
        *self.shared.lock().unwrap() = Shared { cuts: cuts.into_iter().collect(), last: None };
    }

    /// The body of the last response to a request that was executed, whether or not it arrived.
    pub(crate) fn last(&self) -> Option<Vec<u8>> {
        self.shared.lock().unwrap().last.clone()
    }
}

#[async_trait]
impl Transport for Gated {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let cut = self.shared.lock().unwrap().cuts.pop_front().unwrap_or(Cut::Nowhere);
        match cut {
            Cut::Before => return Err(TransportError::not_sent("connection refused, on purpose")),
            Cut::During => return Err(TransportError::interrupted("connection reset, on purpose")),
            _ => {}
        }
        let mut response = self.inner.send(request).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.body.chunk().await {
            body.extend_from_slice(&chunk?);
        }
        self.shared.lock().unwrap().last = Some(body.clone());
        if cut == Cut::After {
            return Err(TransportError::interrupted("connection reset, on purpose"));
        }
        Ok(Response { body: Body::whole(body), ..response })
    }
}
