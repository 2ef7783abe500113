//! Requests that arrive after the worker has given them up, and replies that never arrive.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redis_model::prelude::*;
use redis_model::redis_rest::RetryPolicy;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};
use redis_model_tests::Stack;

use crate::{SERVERS, append, group, until, worker};

#[derive(Debug, Clone, Default)]
struct Valve(Arc<State>);

#[derive(Debug, Default)]
struct State {
    keeps_next: AtomicBool,
    kept: Mutex<Option<(Arc<dyn Transport>, Request)>>,
    /// How many requests were answered since.
    answered: AtomicU64,
}

#[derive(Debug)]
struct Valved {
    inner: Arc<dyn Transport>,
    valve: Valve,
}

#[async_trait]
impl Transport for Valved {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        let state = &self.valve.0;
        if state.keeps_next.swap(false, Ordering::SeqCst) {
            *state.kept.lock().unwrap() = Some((Arc::clone(&self.inner), request));
            return Err(TransportError::interrupted("late, on purpose"));
        }
        let response = self.inner.send(request).await;
        if state.kept.lock().unwrap().is_some() {
            state.answered.fetch_add(1, Ordering::SeqCst);
        }
        response
    }
}

impl Valve {
    fn client(&self, stack: &Stack) -> Redis {
        let valve = self.clone();
        let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(5));
        let builder = stack.builder().retry(policy);
        builder.wrap_transport(move |inner| Valved { inner, valve: valve.clone() }).build().unwrap()
    }

    async fn deliver(&self) {
        let kept = self.0.kept.lock().unwrap().take();
        let (inner, request) = kept.unwrap();
        inner.send(request).await.unwrap();
    }
}

/// It would read an entry, and begin to handle it, for nobody.
#[tokio::test]
async fn a_request_that_arrives_late_takes_no_attempt() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let redis = stack.redis();
        let group = group("late");
        group.create(&redis).await?;
        let valve = Valve::default();
        let client = valve.client(stack);
        let pace = Duration::from_millis(300);
        let worker = worker(&group, "w1").max_deliveries(1).poll(pace, pace);
        let counters = worker.counters();
        let stop = async {
            until(async || counters.read().requests >= 3).await;
            valve.0.keeps_next.store(true, Ordering::SeqCst);
            until(async || valve.0.answered.load(Ordering::SeqCst) > 0).await;
            append(&redis, &group, [7]).await.unwrap();
            valve.deliver().await;
            until(async || counters.read().handled + counters.read().dead == 1).await;
        };
        worker.run_until(&client, stop, async |_| Ok::<_, String>(())).await?;
        let counts = counters.read();
        assert_eq!((counts.handled, counts.dead), (1, 0), "{server}: {counts:?}");
    }
    Ok(())
}
