//! A network that loses requests and replies, and delays them, at random.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};

use crate::random::Random;

/// A transport that fails at random.
#[derive(Debug)]
pub struct Chaos {
    inner: Arc<dyn Transport>,
    random: Random,
    /// Of 1,000 requests, so many are lost, and as many replies.
    lost: u64,
    /// The longest delay of a request and of a reply.
    delay: Duration,
}

impl Chaos {
    /// Loses so many of 1,000 requests, and as many replies.
    pub fn new(inner: Arc<dyn Transport>, seed: u64, lost: u64, delay: Duration) -> Self {
        Chaos { inner, random: Random::new(seed), lost, delay }
    }

    async fn wait(&self) {
        // Half of them are not delayed.
        let micros = u64::try_from(self.delay.as_micros()).unwrap_or(u64::MAX);
        if micros > 0 && self.random.below(2) == 0 {
            tokio::time::sleep(Duration::from_micros(self.random.below(micros))).await;
        }
    }
}

#[async_trait]
impl Transport for Chaos {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.wait().await;
        let fate = self.random.below(1000);
        if fate < self.lost / 2 {
            return Err(TransportError::not_sent("connection refused, on purpose"));
        }
        if fate < self.lost {
            return Err(TransportError::interrupted("connection reset before the request arrived, on purpose"));
        }
        let response = self.inner.send(request).await;
        self.wait().await;
        if fate < 2 * self.lost {
            return Err(TransportError::interrupted("connection reset before the reply arrived, on purpose"));
        }
        response
    }
}
