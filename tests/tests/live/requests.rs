//! One call: as a future of its own, with limits of its own; and servers that are not what they should be.

use std::time::{Duration, Instant};

use http::StatusCode;
use redis_model::redis_rest::transport::{self, Body, Response, Transport, TransportError};
use redis_model::redis_rest::{
    AutoPipelining, Client, Encoding, ErrorKind, Executor as _, GenericCommands as _, Redis, Request, Result,
    RetryPolicy, SearchCommands as _, StringCommands as _, blocking,
};
use redis_model_tests::fault::{Answer, Canned, silent_socket};
use redis_model_tests::{ENCODINGS, key, stack};

const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(30);

fn canned(encoding: Encoding, answer: Answer) -> Redis {
    let builder = Redis::builder("https://example.com", "token").retry(RetryPolicy::never());
    builder.encoding(encoding).transport(Canned::new([answer])).build().unwrap()
}

#[tokio::test]
async fn a_request_is_a_future_that_borrows_nothing() -> Result<()> {
    fn is_static<T: Future + Send + Unpin + 'static>(future: T) -> T {
        future
    }
    let k = &key("future");
    let (counted, pipelined) = {
        let redis = stack().redis();
        (is_static(redis.incr(k)), is_static(redis.pipeline().incr(k).get::<i64>(k).exec()))
    };
    assert_eq!(tokio::spawn(counted).await.unwrap()?, 1);
    assert_eq!(pipelined.await?, (2, Some(2)));
    let redis = stack().redis();
    let all = futures_util::future::try_join_all((0..3).map(|_| redis.incr(k))).await?;
    assert_eq!(all.iter().sum::<i64>(), 3 + 4 + 5);
    let mut again = redis.incr(k);
    assert_eq!((&mut again).await?, 6);
    assert!(again.await.unwrap_err().is_invalid_input());
    Ok(())
}

#[tokio::test]
async fn code_that_is_generic_over_clients_needs_one_bound() -> Result<()> {
    async fn twice<C: Client>(client: C, k: &str) -> Result<i64> {
        let once = C::resolve(client.incr(k)).await?;
        C::resolve(client.incrby(k, once)).await
    }
    let k = &key("generic");
    assert_eq!(twice(&stack().redis(), k).await?, 2);
    assert_eq!(twice(&stack().blocking(), k).await?, 5 + 1);
    Ok(())
}

#[tokio::test]
async fn a_call_has_limits_of_its_own() -> Result<()> {
    let redis = Redis::builder(silent_socket().await, "token").timeout(LONG).deadline(LONG).build()?;
    let began = Instant::now();
    let once = Redis::builder(silent_socket().await, "token").timeout(LONG).deadline(LONG);
    let once = once.retry(RetryPolicy::never()).build()?;
    let fails: [Request<Option<i64>>; 4] = [
        redis.get("k").deadline(SHORT),
        redis.with_deadline(SHORT).get("k"),
        once.get("k").timeout(SHORT),
        once.with_timeout(SHORT).get("k"),
    ];
    for request in fails {
        assert!(request.await.unwrap_err().is_timeout());
    }
    let error = redis.with_deadline(SHORT).pipeline().incr("k").exec().await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_executed());
    assert!(redis.pipeline().incr("k").exec().deadline(SHORT).await.unwrap_err().is_timeout());
    assert!(once.pipeline().incr("k").exec().timeout(SHORT).await.unwrap_err().is_timeout());
    assert!(once.with_timeout(SHORT).pipeline().incr("k").exec().await.unwrap_err().is_timeout());
    assert!(began.elapsed() < LONG);
    Ok(())
}

#[test]
fn a_blocking_call_has_limits_of_its_own() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url = runtime.block_on(silent_socket());
    let redis = blocking::Redis::builder(url, "token").timeout(LONG).deadline(LONG).build()?;
    assert!(redis.with_deadline(SHORT).get::<i64>("k").unwrap_err().is_timeout());
    let began = Instant::now();
    assert!(redis.with_timeout(SHORT).incr("k").unwrap_err().is_timeout());
    assert!(began.elapsed() < LONG);
    Ok(())
}

#[tokio::test]
async fn a_command_that_waits_extends_its_limits() -> Result<()> {
    let wait = Duration::from_millis(1500);
    for auto_pipelining in [false, true] {
        let builder = stack().builder().timeout(wait / 3).deadline(wait / 3).retry(RetryPolicy::never());
        let redis = if auto_pipelining { builder.auto_pipelining(AutoPipelining::new()) } else { builder }.build()?;
        // There is no replica and no append-only file, so each takes all of its time.
        assert_eq!(redis.wait(1, wait).await?, 0);
        assert_eq!(redis.waitaof(0, 1, wait).await?, (0, 0));
        assert_eq!(redis.pipeline().incr(key("wait")).wait(1, wait).exec().await?, (1, 0));
    }
    let slow = Redis::builder("https://example.com", "token").timeout(SHORT).deadline(SHORT).transport(Late(SHORT * 3));
    let slow = slow.retry(RetryPolicy::never()).build()?;
    assert!(slow.search_waitindexing("index").await?);
    assert!(slow.search_reindex("index").await.unwrap_err().is_timeout());
    Ok(())
}

/// Answers 1, so late.
#[derive(Debug)]
struct Late(Duration);

#[async_trait::async_trait]
impl Transport for Late {
    async fn send(&self, _: transport::Request) -> std::result::Result<Response, TransportError> {
        tokio::time::sleep(self.0).await;
        let body = Body::whole("{\"result\":1}");
        Ok(Response { status: StatusCode::OK, headers: http::HeaderMap::new(), body })
    }
}

#[tokio::test]
async fn with_auto_pipelining_each_command_keeps_its_own_deadline() -> Result<()> {
    let redis = Redis::builder(silent_socket().await, "token").auto_pipelining(AutoPipelining::new());
    let redis = redis.timeout(LONG).deadline(LONG).build()?;
    let began = Instant::now();
    let patient = tokio::spawn(redis.incr("k"));
    // One travels with the patient command, the other waits behind it and is never sent.
    let travels = redis.incr("k").deadline(SHORT).await.unwrap_err();
    assert!(travels.is_timeout() && travels.may_have_executed(), "{travels}");
    let queued = redis.incr("k").deadline(SHORT).await.unwrap_err();
    assert!(queued.is_timeout() && !queued.may_have_executed(), "{queued}");
    assert!(!patient.is_finished() && began.elapsed() < LONG);

    // A neighbour with little time does not shorten that of the others.
    let redis = stack().builder().auto_pipelining(AutoPipelining::new()).timeout(LONG).deadline(LONG).build()?;
    let k = &key("neighbours");
    let (hasty, patient) = tokio::join!(redis.incr(k).deadline(Duration::from_micros(1)), redis.incr(k));
    assert!(hasty.is_ok() || hasty.unwrap_err().is_timeout());
    patient?;
    Ok(())
}

#[tokio::test]
async fn check_verifies_url_token_and_encoding() -> Result<()> {
    for encoding in ENCODINGS {
        stack().builder().encoding(encoding).build()?.check().await?;
    }
    stack().blocking().check()?;
    let wrong = Redis::builder(stack().gateway.url(), "wrong").build()?;
    assert_eq!(wrong.check().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    // A server that does not know the header answers plainly: with text that is base64 by chance, and with what it is.
    for plain in ["{\"result\":\"test\"}", "{\"result\":\"réponse\"}"] {
        let error = canned(Encoding::Base64, Answer::ok(plain)).check().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Protocol && error.to_string().contains("Encoding::Json"), "{error}");
    }
    canned(Encoding::Json, Answer::ok("{\"result\":\"réponse\"}")).check().await
}

#[tokio::test]
async fn a_server_that_ignores_the_encoding_is_named() -> Result<()> {
    for (encoding, body) in [
        (Encoding::Base64, "{\"result\":\"a word\"}"),
        (Encoding::Resp2, "{\"result\":\"YQ==\"}"),
        (Encoding::Resp2, "[{\"result\":\"YQ==\"}]"),
    ] {
        let error = canned(encoding, Answer::ok(body)).get::<String>("k").await.unwrap_err();
        assert!(error.kind() == ErrorKind::Protocol && error.to_string().contains("Encoding::Json"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_endpoint_is_named() -> Result<()> {
    let redis = || canned(Encoding::Json, Answer::ok("404 page not found").status(StatusCode::NOT_FOUND));
    let transaction = redis().transaction().incr("k").exec().await.unwrap_err();
    let pipeline = redis().pipeline().incr("k").incr("k").exec().await.unwrap_err();
    let command = redis().incr("k").await.unwrap_err();
    let Some(Err(subscription)) = redis().subscribe(["secret"]).next().await else { panic!("an error") };
    for (error, part) in [
        (&transaction, "no endpoint `/multi-exec`"),
        (&pipeline, "no endpoint `/pipeline`"),
        (&command, "check that the URL"),
        (&subscription, "no endpoint `/subscribe`"),
    ] {
        let text = error.to_string();
        assert!(error.kind() == ErrorKind::Rejected && text.contains(part) && !text.contains("secret"), "{text}");
        assert!(!error.may_have_executed());
    }
    Ok(())
}

#[tokio::test]
async fn commands_are_built_from_tuples_and_words() -> Result<()> {
    let (redis, k) = (stack().redis(), &key("tuple"));
    let () = redis.execute(("SET", k, 1.5)).await?;
    assert_eq!(redis.execute::<String>("PING").await?, "PONG");
    assert_eq!(redis.execute::<f64>(("INCRBYFLOAT", k, 1)).await?, 2.5);
    assert!(redis.execute::<()>("SET a b").await.unwrap_err().is_invalid_input());
    Ok(())
}
