//! A transport that loses requests and replies at random, and delivers some requests late: after the one that repeats them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis_model::Redis;
use redis_model::redis_rest::RetryPolicy;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};
use redis_model_tests::Stack;
use redis_model_tests::fault::Mutated;
use redis_model_tests::random::Random;

#[derive(Debug)]
struct Lossy {
    inner: Arc<dyn Transport>,
    random: Random,
    /// How many of a hundred requests fail.
    percent: u64,
}

#[async_trait]
impl Transport for Lossy {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (fails, how) = (self.random.below(100) < self.percent, self.random.below(4));
        if !fails {
            return self.inner.send(request).await;
        }
        match how {
            0 => return Err(TransportError::not_sent("connection refused, on purpose")),
            1 => {}
            2 => drop(self.inner.send(request).await),
            _ => {
                let inner = Arc::clone(&self.inner);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(15)).await;
                    drop(inner.send(request).await);
                });
            }
        }
        Err(TransportError::interrupted("connection reset, on purpose"))
    }
}

/// A client that loses this percentage of its requests, and repeats them until they arrive.
pub(crate) fn lossy(stack: &Stack, seed: u64, percent: u64) -> Redis {
    mutated(stack, seed, percent, "", "")
}

/// The same, with a mistake in the scripts: `wrong` instead of `right`.
pub(crate) fn mutated(stack: &Stack, seed: u64, percent: u64, right: &'static str, wrong: &'static str) -> Redis {
    let policy = RetryPolicy::default().retries(30).backoff(Duration::from_millis(1), Duration::from_millis(20));
    let builder = stack.builder().retry(policy).wrap_transport(move |inner| {
        let inner: Arc<dyn Transport> =
            if right.is_empty() { inner } else { Arc::new(Mutated { inner, right, wrong }) };
        Lossy { inner, random: Random::new(seed), percent }
    });
    builder.build().unwrap()
}
