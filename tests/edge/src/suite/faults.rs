//! Servers that fail, and connections that break.

use std::time::{Duration, Instant};

use redis_model_tools::Outcome;

use super::{Suite, holds};
use crate::fault::{Act, FaultServer, nobody};

/// A response that ends, or stalls, in the middle of its body.
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"result\":\"aGVs";

fn seen(server: &FaultServer, count: usize) -> Outcome<()> {
    holds(server.count() == count, || format!("expected {count} requests, found {}", server.count()))
}

pub async fn a_server_that_never_answers(suite: &Suite) -> Outcome<()> {
    let server = FaultServer::start([Act::silence()]).await?;
    let started = Instant::now();
    let path = format!("/get?key=k&timeout=300&url={}", server.url);
    suite.expect_error(&path, "Timeout may_have_executed=false attempts=1:").await?;
    let waited = started.elapsed();
    holds((300..3_000).contains(&waited.as_millis()), || format!("{waited:?}"))?;
    seen(&server, 1)?;
    // A read is repeated, until the deadline.
    let path = format!("/get?key=k&timeout=200&retries=2&url={}", server.url);
    suite.expect_error(&path, "Timeout may_have_executed=false attempts=3:").await?;
    seen(&server, 4)?;
    // A write is not.
    let path = format!("/incr?key=k&timeout=200&retries=2&url={}", server.url);
    suite.expect_error(&path, "Timeout may_have_executed=true attempts=1:").await?;
    seen(&server, 5)
}

pub async fn a_body_that_stalls(suite: &Suite) -> Outcome<()> {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{\"re\r\n";
    for half in [HALF, chunked] {
        let server = FaultServer::start([Act::SendAndHold(half.to_owned())]).await?;
        let path = format!("/incr?key=k&timeout=300&retries=2&url={}", server.url);
        suite.expect_error(&path, "Timeout may_have_executed=true attempts=1").await?;
        seen(&server, 1)?;
        // The connection is closed, and so nothing waits for the rest.
        tokio::time::sleep(Duration::from_millis(200)).await;
        holds(server.seen()[0].closed.is_some(), || "the connection is still open".to_owned())?;
    }
    Ok(())
}

pub async fn a_body_that_ends_early(suite: &Suite) -> Outcome<()> {
    let server = FaultServer::start([Act::Send(HALF.to_owned())]).await?;
    let path = format!("/incr?key=k&retries=2&url={}", server.url);
    suite.expect_error(&path, "Interrupted may_have_executed=true attempts=1").await?;
    seen(&server, 1)?;
    let server = FaultServer::start([Act::Send(HALF.to_owned()), Act::hello()]).await?;
    suite.expect(&format!("/get?key=k&retries=2&url={}", server.url), r#"Some("hello")"#).await?;
    seen(&server, 2)
}

pub async fn a_chunked_body_that_ends_early(suite: &Suite) -> Outcome<()> {
    let half = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{\"re\r\n";
    let server = FaultServer::start([Act::Send(half.to_owned()), Act::hello()]).await?;
    suite.expect(&format!("/get?key=k&retries=2&url={}", server.url), r#"Some("hello")"#).await?;
    seen(&server, 2)
}

pub async fn a_read_is_retried_after_503(suite: &Suite) -> Outcome<()> {
    let server = FaultServer::start([Act::reply("503 Service Unavailable", ""), Act::hello()]).await?;
    suite.expect(&format!("/get?key=k&retries=2&url={}", server.url), r#"Some("hello")"#).await?;
    seen(&server, 2)
}

pub async fn a_write_is_not_retried_after_503(suite: &Suite) -> Outcome<()> {
    let server = FaultServer::start([Act::reply("503 Service Unavailable", ""), Act::hello()]).await?;
    let path = format!("/incr?key=k&retries=2&url={}", server.url);
    suite.expect_error(&path, "Unavailable may_have_executed=true attempts=1 status=503:").await?;
    seen(&server, 1)
}

pub async fn a_write_is_retried_after_429(suite: &Suite) -> Outcome<()> {
    let limited = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let server = FaultServer::start([Act::Send(limited.to_owned()), Act::reply("200 OK", r#"{"result":7}"#)]).await?;
    let started = Instant::now();
    suite.expect(&format!("/incr?key=k&retries=2&url={}", server.url), "7").await?;
    holds(started.elapsed() >= Duration::from_secs(1), || format!("{:?}", started.elapsed()))?;
    seen(&server, 2)
}

pub async fn a_lost_reply_of_a_write(suite: &Suite) -> Outcome<()> {
    let gateway = suite.stack.gateway.url();
    let server = FaultServer::start([Act::LoseReply(gateway.clone()), Act::Forward(gateway)]).await?;
    let path = format!("/incr?key=lost&retries=2&url={}", server.url);
    suite.expect_error(&path, "Interrupted may_have_executed=true attempts=1:").await?;
    seen(&server, 1)?;
    suite.expect("/get?key=lost", r#"Some("1")"#).await
}

pub async fn a_lost_reply_of_a_write_that_executes_once(suite: &Suite) -> Outcome<()> {
    let gateway = suite.stack.gateway.url();
    // The server may not know the script, and is then asked twice in an attempt.
    suite.expect("/incr-once?key=once", "1").await?;
    let server = FaultServer::start([Act::LoseReply(gateway.clone()), Act::Forward(gateway)]).await?;
    suite.expect(&format!("/incr-once?key=once&retries=3&url={}", server.url), "2").await?;
    holds(server.count() >= 2, || "it was not repeated".to_owned())?;
    suite.expect("/get?key=once", r#"Some("2")"#).await
}

/// `fetch` does not tell a refused connection from one that broke: a write is not repeated.
pub async fn a_refused_connection(suite: &Suite) -> Outcome<()> {
    let url = nobody().await?;
    let path = format!("/get?key=k&retries=2&url={url}");
    suite.expect_error(&path, "Interrupted may_have_executed=false attempts=3:").await?;
    let path = format!("/incr?key=k&retries=2&url={url}");
    suite.expect_error(&path, "Interrupted may_have_executed=true attempts=1:").await?;
    Ok(())
}

pub async fn a_dropped_future_aborts_its_request(suite: &Suite) -> Outcome<()> {
    let server = FaultServer::start([Act::silence()]).await?;
    suite.expect(&format!("/dropped?url={}", server.url), "stayed").await?;
    let answered = Instant::now();
    let seen = server.seen();
    // The Worker stays for a second after it has dropped the request.
    let closed = seen.first().and_then(|request| request.closed);
    let before = closed.map(|closed| answered.saturating_duration_since(closed));
    holds(before.is_some_and(|before| before > Duration::from_millis(500)), || {
        format!("the server sees the end {before:?} before the answer")
    })
}

/// It is sent back with the next request.
pub async fn a_sync_token_that_is_not_ascii(suite: &Suite) -> Outcome<()> {
    let reply = "HTTP/1.1 200 OK\r\nupstash-sync-token: caf\u{e9}\r\ncontent-length: 21\r\nconnection: close\r\n\r\n";
    let server = FaultServer::start([Act::Send(format!("{reply}{{\"result\":\"aGVsbG8=\"}}"))]).await?;
    suite.expect(&format!("/twice?url={}", server.url), r#"Some("hello") Some("hello")"#).await?;
    let head = server.seen().pop().unwrap_or_default().head;
    holds(head.contains("upstash-sync-token: caf\u{e9}"), || head)
}

pub async fn what_is_not_json(suite: &Suite) -> Outcome<()> {
    let server = FaultServer::start([Act::reply("200 OK", "<html>")]).await?;
    let path = format!("/incr?key=k&retries=2&url={}", server.url);
    suite.expect_error(&path, "Protocol may_have_executed=true attempts=1").await?;
    seen(&server, 1)
}
