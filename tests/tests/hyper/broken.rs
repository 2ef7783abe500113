//! Servers that break their connections: an increment is never lost, and never executed twice.

use std::future::pending;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};
use redis_model::redis_rest::{ErrorKind, Redis, RedisBuilder, Result, RetryPolicy, StringCommands as _};
use redis_model_tests::fault::{Answer, Canned};

use super::current_thread;
use super::server::{Server, Then, ok};

const SEVEN: &str = r#"{"result":7}"#;

fn builder(url: impl Into<String>) -> RedisBuilder {
    Redis::builder(url, "token").telemetry(false).hyper()
}

fn impatient(server: &Server) -> Redis {
    builder(server.url()).retry(RetryPolicy::never()).build().unwrap()
}

/// The server closes each connection after its reply, and nothing lets the runtime notice.
#[test]
fn a_connection_that_the_server_closed_is_not_used() {
    let server = Server::start(|_| (ok(SEVEN), Then::Close));
    let redis = impatient(&server);
    let runtime = current_thread();
    runtime.block_on(async {
        for n in 1..=50 {
            assert_eq!(redis.incr("k").await.unwrap(), 7);
            // The thread sleeps, and with it the runtime.
            server.wait_until_open(0);
            sleep(Duration::from_millis(1));
            assert_eq!((server.accepted(), server.requests().len()), (n, n));
        }
    });
    // The blocking client has a thread that runs on.
    let redis = builder(server.url()).retry(RetryPolicy::never()).build_blocking().unwrap();
    for _ in 0..50 {
        assert_eq!((&redis).incr("k").unwrap(), 7);
        server.wait_until_open(0);
        sleep(Duration::from_millis(1));
    }
    assert_eq!(server.requests().len(), 100);
}

#[tokio::test]
async fn connections_are_used_again_only_after_a_whole_response() {
    let reused: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"result\":7}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"res\r\n7\r\nult\":7}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{\"result\":7}\r\n0\r\nx-trailer: 1\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"result\":7}",
    ];
    for reply in reused {
        let server = Server::start(move |_| (reply.to_vec(), Then::Stay));
        let redis = impatient(&server);
        for _ in 0..20 {
            assert_eq!(redis.incr("k").await.unwrap(), 7);
        }
        assert_eq!(server.accepted(), 1, "{}", String::from_utf8_lossy(reply));
    }
    let not_reused: [&[u8]; 3] = [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 12\r\n\r\n{\"result\":7}",
        b"HTTP/1.0 200 OK\r\ncontent-length: 12\r\n\r\n{\"result\":7}",
        // What nobody asked for: it would be taken for the next reply.
        b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"result\":7}HTTP/1.1 200 OK\r\n\
            content-length: 12\r\n\r\n{\"result\":8}",
    ];
    for reply in not_reused {
        let server = Server::start(move |_| (reply.to_vec(), Then::Stay));
        let redis = impatient(&server);
        for _ in 0..20 {
            assert_eq!(redis.incr("k").await.unwrap(), 7);
        }
        assert_eq!(server.accepted(), 20, "{}", String::from_utf8_lossy(reply));
    }
    // A body that ends with the connection.
    let server = Server::start(|_| (format!("HTTP/1.1 200 OK\r\n\r\n{SEVEN}").into_bytes(), Then::Close));
    assert_eq!(impatient(&server).incr("k").await.unwrap(), 7);
}

#[tokio::test]
async fn a_response_that_is_not_read_to_its_end_closes_the_connection() {
    let long = "x".repeat(1 << 20);
    let server = Server::start(move |n| (ok(if n % 2 == 0 { &long } else { SEVEN }), Then::Stay));
    let redis = builder(server.url()).retry(RetryPolicy::never()).max_response_bytes(4096).build().unwrap();
    for n in 1..=10 {
        assert_eq!(redis.incr("k").await.unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(redis.incr("k").await.unwrap(), 7);
        assert_eq!(server.accepted(), n + 1);
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_closes_the_connection() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"res".to_vec();
    for reply in [Vec::new(), head] {
        let server = Server::start(move |n| if n < 10 { (reply.clone(), Then::Stay) } else { (ok(SEVEN), Then::Stay) });
        let redis = impatient(&server);
        for _ in 0..10 {
            let incr = tokio::time::timeout(Duration::from_millis(30), redis.incr("k")).await;
            assert!(incr.is_err(), "there is no reply");
        }
        tokio::task::spawn_blocking(move || {
            server.wait_until_open(0);
            server
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_refused_connection_is_tried_again() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let error = builder(&*url).retry(RetryPolicy::never()).build().unwrap().incr("k").await.unwrap_err();
    assert!(error.is_connect() && error.is_retryable() && !error.may_have_executed(), "{error:?}");
    assert!(!format!("{error:?}").contains("token"));

    let redis = builder(url).retry(RetryPolicy::default().retries(100)).build().unwrap();
    let incr = tokio::spawn(async move { redis.incr("k").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let server = Server::start_at(&address.to_string(), |_| (ok(SEVEN), Then::Stay));
    assert_eq!(incr.await.unwrap().unwrap(), 7);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_reply_that_breaks_off_is_uncertain() {
    let replies: [&[u8]; 5] = [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"resu",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"res\r\n",
        b"garbage\r\n\r\n",
    ];
    for reply in replies {
        // On a new connection, and on one that has served before.
        for before in [0, 3] {
            let server =
                Server::start(
                    move |n| if n < before { (ok(SEVEN), Then::Stay) } else { (reply.to_vec(), Then::Close) },
                );
            let redis = builder(server.url()).build().unwrap();
            for _ in 0..before {
                redis.incr("k").await.unwrap();
            }
            let error = redis.incr("k").await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Interrupted, 1), "{error:?}");
            assert!(error.may_have_executed());
            assert_eq!((server.requests().len(), server.accepted()), (before + 1, 1));
            // What is idempotent is tried again.
            assert!(redis.get::<i64>("k").await.is_err());
            assert!(server.requests().len() > before + 2);
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::start(|_| (ok(SEVEN), Then::Stay));
    let location = elsewhere.url();
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let server = Server::start(move |_| {
            let head = format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            (head.into_bytes(), Then::Stay)
        });
        assert!(impatient(&server).incr("k").await.is_err());
    }
    assert_eq!(elsewhere.accepted(), 0);
}

#[tokio::test]
async fn a_server_that_accepts_no_connection_is_a_connect_error() {
    // Nothing answers there, by RFC 5737.
    let redis = builder("http://192.0.2.1").allow_insecure_http(true).timeout(Duration::from_millis(200));
    let error = redis.retry(RetryPolicy::never()).build().unwrap().incr("k").await.unwrap_err();
    assert!(!error.may_have_executed(), "{error:?}");
}

/// Keeps the transport that it wraps.
#[derive(Debug)]
struct Keep(Arc<dyn Transport>);

#[async_trait]
impl Transport for Keep {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        self.0.send(request).await
    }
}

#[test]
fn without_a_runtime_there_is_an_error() -> Result<()> {
    let canned = Canned::new([Answer::ok(SEVEN)]);
    let redis = Redis::builder("http://localhost:1", "token").transport(canned.clone()).build()?;
    current_thread().block_on(async { redis.incr("k").await })?;
    let request = canned.requests().remove(0);

    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let builder = builder("http://localhost:1").wrap_transport(move |inner| {
        *keep.lock().unwrap() = Some(Arc::clone(&inner));
        Keep(inner)
    });
    let _redis = builder.build()?;
    let transport = kept.lock().unwrap().take().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(sent) = pin!(transport.send(request)).poll(&mut context) else { panic!("it waits") };
    assert_eq!(sent.unwrap_err().to_string(), "the request was not sent");
    Ok(())
}

/// A runtime that ends while a request waits for its reply.
#[test]
fn a_runtime_that_ends_breaks_its_requests_alone() -> Result<()> {
    let server = Server::start(|n| if n == 0 { (Vec::new(), Then::Stay) } else { (ok(SEVEN), Then::Stay) });
    let redis = builder(server.url()).retry(RetryPolicy::never()).build()?;
    let ended = current_thread();
    let task = ended.spawn({
        let redis = redis.clone();
        async move { redis.incr("k").await }
    });
    ended.block_on(async {
        tokio::select! { _ = pending::<()>() => {}, () = tokio::time::sleep(Duration::from_millis(100)) => {} }
    });
    assert_eq!(server.requests().len(), 1);
    drop(ended);
    let other = current_thread();
    assert!(other.block_on(task).unwrap_err().is_cancelled());
    assert_eq!(other.block_on(async { redis.incr("k").await })?, 7);
    server.wait_until_open(1);
    Ok(())
}

/// A server that sends faster than the client reads, so that there is always more to read.
#[test]
fn a_response_without_end_ends_with_the_timeout() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000)).repeat(16);
            let (head, began) = ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", Instant::now());
            let _ = stream.read(&mut [0; 1024]).unwrap();
            let mut sent = stream.write_all(head.as_bytes());
            while sent.is_ok() && began.elapsed() < Duration::from_secs(10) {
                sent = stream.write_all(chunk.as_bytes());
            }
        }
    });
    let builder = builder(url).retry(RetryPolicy::never()).timeout(Duration::from_millis(100));
    let builder = builder.max_response_bytes(usize::MAX);
    let began = Instant::now();
    let error = current_thread().block_on(builder.clone().build()?.incr("k")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let error = (&builder.build_blocking()?).incr("k").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // Much sooner than the server stops.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    Ok(())
}
