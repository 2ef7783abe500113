//! Timers that are not tokio's.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use redis_model::redis_rest::subscribe::SubscriptionEvent;
use redis_model::redis_rest::{AutoPipelining, Error, Redis, Result, RetryPolicy, StringCommands as _, Timer};
use redis_model_tests::fault::{Answer, Canned};
use tokio::runtime::Builder;

use super::server::{Server, Then};

/// Each wait has a thread.
#[derive(Debug)]
struct Threads;

impl Timer for Threads {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let end = Instant::now() + duration;
        Box::pin(poll_fn(move |cx| {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            std::thread::spawn(move || {
                std::thread::sleep(left);
                waker.wake();
            });
            Poll::Pending
        }))
    }
}

/// The runtime has no timers, and tokio's would panic.
#[test]
fn auto_pipelining_takes_the_timer_of_the_client() -> Result<()> {
    let runtime = Builder::new_current_thread().build().unwrap();
    let policy = RetryPolicy::default().retries(1).backoff(Duration::from_millis(1), Duration::from_millis(1));
    let canned = Canned::new([Answer::ok(r#"{"result":7}"#)]);
    let redis = Redis::builder("http://localhost:1", "token").transport(canned).timer(Threads).retry(policy);
    let redis = redis.deadline(Duration::from_millis(200)).auto_pipelining(AutoPipelining::default()).build()?;
    assert_eq!(runtime.block_on(async { redis.incr("k").await })?, 7);
    Ok(())
}

/// The timers of a browser's tab in the background, for example.
#[derive(Debug)]
struct Late(Duration);

impl Timer for Late {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration + self.0))
    }
}

#[tokio::test]
async fn silence_is_noticed_by_timers_that_are_late() -> Result<()> {
    for late in [0, 1100] {
        let server = Server::start(|_| {
            let events = "data: subscribe,news,1\n\ndata: message,news,hello\n\n";
            (format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{events}").into_bytes(), Then::Stay)
        });
        let late = Duration::from_millis(late);
        let redis = Redis::builder(server.url(), "token")
            .hyper()
            .idle_timeout(Duration::from_millis(200))
            .timer(Late(late))
            .build()?;
        let (mut subscription, began) = (redis.subscribe(["news"]), Instant::now());
        let gap = async {
            loop {
                if let SubscriptionEvent::Gap { cause, .. } = subscription.next().await.unwrap()? {
                    return Ok::<_, Error>(cause);
                }
            }
        };
        let cause = tokio::time::timeout(Duration::from_secs(10), gap).await.unwrap()?;
        assert!(cause.is_timeout() && began.elapsed() >= Duration::from_millis(200), "{cause:?}");
    }
    Ok(())
}
