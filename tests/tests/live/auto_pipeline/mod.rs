//! Auto-pipelining.

mod failures;
mod queue;
mod requests;

use std::sync::{Arc, Mutex};

use redis_model::redis_rest::transport::{Endpoint, Request, Response, Transport, TransportError};
use redis_model::redis_rest::{AutoPipelining, RedisBuilder, Result};
use redis_model_tests::stack;

/// Notes the endpoint and the size of each request.
#[derive(Debug, Clone, Default)]
struct Noted(Arc<Mutex<Vec<(Endpoint, usize)>>>);

impl Noted {
    fn wrap(&self, builder: RedisBuilder) -> RedisBuilder {
        let noted = self.clone();
        builder.wrap_transport(move |inner| Noting { inner, noted: noted.clone() })
    }

    fn take(&self) -> Vec<(Endpoint, usize)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.take().into_iter().map(|(endpoint, _)| endpoint).collect()
    }
}

#[derive(Debug)]
struct Noting {
    inner: Arc<dyn Transport>,
    noted: Noted,
}

#[async_trait::async_trait]
impl Transport for Noting {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.noted.0.lock().unwrap().push((request.endpoint.clone(), request.body.len()));
        self.inner.send(request).await
    }
}

fn pipelined() -> RedisBuilder {
    stack().builder().auto_pipelining(AutoPipelining::new())
}
