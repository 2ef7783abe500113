//! The queue: its beginning and end, cancelled commands, deadlines.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis_model::redis_rest::transport::{Endpoint, Request, Response, Transport, TransportError};
use redis_model::redis_rest::{AutoPipelining, ErrorKind, GenericCommands as _, Redis, Result, StringCommands as _};
use redis_model_tests::fault::{Answer, Canned, silent_socket};
use redis_model_tests::key;
use tokio::time::{sleep, timeout};

use super::pipelined;

/// Threads that come and go, so that a queue is often just being given up when the next command comes.
#[test]
fn a_queue_that_ends_as_another_begins_loses_nothing() {
    let redis = Redis::builder("https://example.com", "token").auto_pipelining(AutoPipelining::new());
    let redis = redis.transport(Instantly).build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..3_u32 {
            let (redis, runtime) = (&redis, &runtime);
            scope.spawn(move || {
                for n in 0..20_000_u32 {
                    // As good as at random, from none to some microseconds.
                    for _ in 0..(n.wrapping_mul(2_654_435_761).wrapping_add(thread) % 2000) {
                        std::hint::spin_loop();
                    }
                    assert_eq!(runtime.block_on(redis.incr("k")).unwrap(), 1);
                }
            });
        }
    });
}

/// Answers 1 to each INCR, at once.
#[derive(Debug)]
struct Instantly;

#[async_trait::async_trait]
impl Transport for Instantly {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let commands = request.body.windows(4).filter(|bytes| bytes == b"INCR").count();
        let one = "{\"result\":1}";
        let body = match request.endpoint {
            Endpoint::Pipeline => format!("[{}]", vec![one; commands].join(",")),
            _ => one.to_owned(),
        };
        let canned = Canned::new([Answer::ok(body)]);
        canned.send(request).await
    }
}

#[tokio::test]
async fn what_is_cancelled_before_it_is_sent_is_not_sent() -> Result<()> {
    let redis = pipelined().build()?;
    let k = &key("cancelled");
    let mut never = redis.incr(k);
    // Polled once: it queues. Its request has had no time to be sent.
    assert!(Pin::new(&mut never).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(never);
    assert_eq!(redis.exists([k]).await?, 0);
    Ok(())
}

#[tokio::test]
async fn nobody_waits_in_the_queue_past_the_deadline() -> Result<()> {
    let never = Redis::builder(silent_socket().await, "token").auto_pipelining(AutoPipelining::new());
    let redis = never.timeout(Duration::from_secs(2)).deadline(Duration::from_secs(2)).build()?;
    let began = Instant::now();
    let first = redis.incr("k");
    let late = async {
        sleep(Duration::from_millis(20)).await;
        // Queued behind a request that takes all the time there is.
        join_all((0..3).map(|_| redis.incr("k"))).await
    };
    let (first, late) = timeout(Duration::from_secs(20), async { tokio::join!(first, late) }).await.unwrap();
    assert!(first.unwrap_err().is_timeout());
    // What waits behind it is told when its turn comes: after the one's deadline, not after another of its own.
    assert!(late.into_iter().all(|late| late.unwrap_err().is_timeout()));
    assert!(began.elapsed() < Duration::from_millis(3500), "{:?}", began.elapsed());
    Ok(())
}

/// A client that outlives the runtime in which it was used, or is used in several.
#[test]
fn a_runtime_that_ends_or_idles_leaves_nobody_waiting() -> Result<()> {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A transport without connections of its own: those of an HTTP client belong to the runtime that made them.
    let canned = Canned::new([Answer::ok("{\"result\":1}")]);
    let redis = Redis::builder("https://example.com", "token").auto_pipelining(AutoPipelining::new());
    let redis = redis.transport(canned).build()?;
    let (one, two) = (runtime(), runtime());
    for runtime in [&one, &two, &one, &one, &two] {
        let counted = runtime.block_on(async { timeout(Duration::from_secs(20), redis.incr("k")).await });
        assert!(matches!(counted, Ok(Ok(1))), "{counted:?}");
    }
    // No runtime at all.
    let mut incr = redis.incr("k");
    let polled = Pin::new(&mut incr).poll(&mut Context::from_waker(Waker::noop()));
    assert!(
        matches!(polled, Poll::Ready(Err(error)) if error.kind() == ErrorKind::Config && !error.may_have_executed())
    );
    let redis = pipelined().build()?;
    let k = &key("runtimes");
    runtime().block_on(async {
        let incr = redis.incr(k);
        let _ = timeout(Duration::ZERO, incr).await;
    });
    let counted = runtime().block_on(async { timeout(Duration::from_secs(20), redis.incr(k)).await });
    assert!(matches!(counted, Ok(Ok(1 | 2))), "{counted:?}");
    Ok(())
}
