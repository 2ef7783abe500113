//! Connections that break at every point: nothing is executed twice, and an uncertain write says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use redis_model::redis_rest::{
    Encoding, ErrorKind, HashCommands as _, Redis, Result, RetryPolicy, StringCommands as _,
};
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::{ENCODINGS, key, stack};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A client whose first requests are cut, and the number of requests it has sent.
fn cut(encoding: Encoding, cuts: &[Cut]) -> (Redis, Arc<AtomicU32>) {
    let sent = Arc::new(AtomicU32::new(0));
    let (cuts, counter) = (cuts.to_vec(), Arc::clone(&sent));
    let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(2));
    let builder = stack().builder().encoding(encoding).retry(policy);
    let builder = builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::clone(&counter)));
    (builder.build().unwrap(), sent)
}

async fn value(k: &str) -> Result<i64> {
    Ok(stack().redis().get(k).await?.unwrap_or(0))
}

#[tokio::test]
async fn an_incr_is_never_executed_twice() -> Result<()> {
    let mut cuts = vec![Cut::Before, Cut::During, Cut::After];
    cuts.extend((0..16).map(Cut::InReply));
    for encoding in ENCODINGS {
        for &at in &cuts {
            let k = &key("cut");
            let (redis, sent) = cut(encoding, &[at]);
            match (redis.incr(k).await, at) {
                // Refused before it left: sent again, and done once.
                (Ok(count), Cut::Before) => assert_eq!((count, sent.load(Ordering::SeqCst)), (1, 2)),
                (Ok(_), _) => panic!("{at:?}: an uncertain INCR must not be reported done"),
                (Err(error), _) => {
                    assert!(error.may_have_executed(), "{at:?}: {error}");
                    assert_eq!((error.kind(), sent.load(Ordering::SeqCst)), (ErrorKind::Interrupted, 1), "{at:?}");
                }
            }
            let executed = if at == Cut::During { 0 } else { 1 };
            assert_eq!(value(k).await?, executed, "{encoding:?} {at:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_idempotent_is_tried_again() -> Result<()> {
    for encoding in ENCODINGS {
        let cuts = [Cut::After, Cut::InReply(3), Cut::During];
        let k = &key("idempotent");
        let (redis, sent) = cut(encoding, &cuts);
        redis.set(k, 5).await?;
        assert_eq!(sent.load(Ordering::SeqCst), 4);
        let (redis, _) = cut(encoding, &cuts);
        assert_eq!(redis.get::<i64>(k).await?, Some(5));
    }
    Ok(())
}

#[tokio::test]
async fn a_pipeline_is_tried_again_only_if_all_of_it_is_idempotent() -> Result<()> {
    for at in [Cut::During, Cut::After, Cut::InReply(0), Cut::InReply(20)] {
        let k = &key("pipeline");
        let (redis, sent) = cut(Encoding::Base64, &[at]);
        let (_, found) = redis.pipeline().set(k, 1).get::<i64>(k).exec().await?;
        assert_eq!((found, sent.load(Ordering::SeqCst)), (Some(1), 2));
        let (redis, sent) = cut(Encoding::Base64, &[at]);
        let error = redis.pipeline().get::<i64>(k).incr(k).exec().await.unwrap_err();
        assert!(error.may_have_executed() && sent.load(Ordering::SeqCst) == 1);
        assert!(value(k).await? <= 2);
        let (redis, sent) = cut(Encoding::Base64, &[at]);
        let error = redis.transaction().incr(k).hget::<String>(k, "f").exec_each().await.unwrap_err();
        assert!(error.may_have_executed() && sent.load(Ordering::SeqCst) == 1);
    }
    Ok(())
}

#[tokio::test]
async fn an_uncertain_attempt_is_not_forgotten_when_the_last_one_is_certain() {
    let cuts = [Cut::After, Cut::Before, Cut::Before, Cut::Before];
    let (redis, sent) = cut(Encoding::Base64, &cuts);
    let error = redis.set(key("forgotten"), 1).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), sent.load(Ordering::SeqCst)), (ErrorKind::Connect, 4, 4));
    assert!(error.may_have_executed() && !error.is_retryable(), "{error}");
}

#[tokio::test]
async fn uncertain_writes_are_retried_on_request() -> Result<()> {
    let k = &key("opted in");
    let policy =
        RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1)).retry_uncertain_writes(true);
    let builder = stack().builder().retry(policy);
    let redis = builder.wrap_transport(|inner| Faulty::new(inner, vec![Cut::After], Arc::default())).build()?;
    assert_eq!(redis.incr(k).await?, 2, "counted twice, as was opted for");
    Ok(())
}

#[tokio::test]
async fn nobody_listens() {
    let redis = Redis::builder("http://127.0.0.1:9", "token").retry(RetryPolicy::never()).build().unwrap();
    let error = redis.incr("k").await.unwrap_err();
    assert!(error.is_connect() && error.is_retryable() && !error.may_have_executed(), "{error:?}");
}

/// A server of real sockets: reads a request, and does as told with the reply.
async fn socket(reply: &'static [u8], then_hang: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(reply).await;
                if then_hang {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn real_sockets_that_break_are_uncertain() {
    let replies: [&[u8]; 4] = [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"resu",
        b"garbage\r\n\r\n",
    ];
    for reply in replies {
        let redis = Redis::builder(socket(reply, false).await, "token").build().unwrap();
        let error = redis.incr("k").await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Interrupted, 1), "{error:?}");
        assert!(error.may_have_executed());
    }
}

#[tokio::test]
async fn a_status_counts_although_its_body_never_ends() {
    let limited = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 99\r\n\r\n{\"err";
    for then_hang in [false, true] {
        let builder = Redis::builder(socket(limited, then_hang).await, "token").retry(RetryPolicy::never());
        let error = builder.build().unwrap().incr("k").await.unwrap_err();
        assert!(error.is_rate_limited() && !error.may_have_executed(), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_a_timeout() {
    let replies: [&[u8]; 2] = [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"resu"];
    for reply in replies {
        let builder = Redis::builder(socket(reply, true).await, "token").timeout(Duration::from_millis(50));
        let policy = RetryPolicy::default().retries(1000).backoff(Duration::from_millis(1), Duration::from_millis(1));
        let redis = builder.deadline(Duration::from_millis(300)).retry(policy).build().unwrap();
        let error = redis.incr("k").await.unwrap_err();
        assert!(error.is_timeout() && error.may_have_executed() && error.attempts() == 1, "{error:?}");
        let began = Instant::now();
        let error = redis.get::<String>("k").await.unwrap_err();
        assert!(error.is_timeout() && !error.may_have_executed() && error.attempts() > 1, "{error:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "the deadline bounds all attempts together");
    }
}
