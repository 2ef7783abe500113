//! Requests that arrive after the worker has given them up, and replies that never arrive.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redis_model::prelude::*;
use redis_model::redis_rest::RetryPolicy;
use redis_model::redis_rest::commands::stream::{Trim, XPendingOptions};
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};
use redis_model_tests::Stack;

use crate::{SERVERS, append, group, until, worker};

#[derive(Debug, Clone, Default)]
struct Valve(Arc<State>);

#[derive(Debug, Default)]
struct State {
    keeps_next: AtomicBool,
    kept: Mutex<Option<(Arc<dyn Transport>, Request)>>,
    /// How many replies are lost next.
    loses: AtomicU64,
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
        if state.loses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(TransportError::interrupted("lost, on purpose"));
        }
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

/// They are settled only when the worker has read the reply that reports them.
#[tokio::test]
async fn trimmed_entries_are_reported_although_replies_are_lost() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let redis = stack.redis();
        let group = group("quiet");
        append(&redis, &group, 0..5).await?;
        let dies = worker(&group, "dies");
        let begun = AtomicU64::new(0);
        let handler = async |_| {
            begun.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<std::result::Result<(), String>>().await
        };
        tokio::select! {
            ended = dies.run(&redis, handler) => panic!("{server}: {ended:?}"),
            () = until(async || begun.load(Ordering::SeqCst) == 5) => {}
        }
        redis.xtrim(group.log().key(), Trim::max_len(0)).await?;
        let valve = Valve::default();
        valve.0.loses.store(u64::MAX, Ordering::SeqCst);
        let client = valve.client(stack);
        let lives = worker(&group, "lives");
        let counters = lives.counters();
        let stop = async {
            until(async || {
                let idle = XPendingOptions::new().idle(Duration::from_millis(400));
                group.pending_range(&redis, .., 10, idle).await.unwrap().len() == 5
            })
            .await;
            // The reply that reports them is among those that are lost.
            let sent = counters.read().requests;
            until(async || counters.read().requests > sent + 1).await;
            valve.0.loses.store(0, Ordering::SeqCst);
            until(async || counters.read().trimmed > 0 && group.pending(&redis).await.unwrap().count == 0).await;
        };
        lives.run_until(&client, stop, async |_| Ok::<_, String>(())).await?;
        assert_eq!((counters.read().trimmed, counters.read().lost), (5, 0), "{server}");
    }
    Ok(())
}

/// A heartbeat finds it out, and its reply is lost.
#[tokio::test]
async fn an_entry_that_is_trimmed_while_it_is_handled_is_reported_although_replies_are_lost() -> Result<()> {
    for (server, stack) in SERVERS.iter() {
        let redis = stack.redis();
        let group = group("held");
        append(&redis, &group, 0..1).await?;
        let valve = Valve::default();
        let client = valve.client(stack);
        let worker = worker(&group, "w1");
        let counters = worker.counters();
        let handler = async |_| {
            redis.xtrim(group.log().key(), Trim::max_len(0)).await.unwrap();
            valve.0.loses.store(3, Ordering::SeqCst);
            until(async || counters.read().trimmed > 0 && group.pending(&redis).await.unwrap().count == 0).await;
            Ok::<_, String>(())
        };
        worker.run_until(&client, until(async || counters.read().handled == 1), handler).await?;
        let counts = counters.read();
        assert_eq!((counts.trimmed, counts.lost, counts.duplicates), (1, 0, 0), "{server}: {counts:?}");
    }
    Ok(())
}
