//! Requests that fail: each command is treated as it would be alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::StatusCode;
use redis_model::redis_rest::{
    AutoPipelining, ErrorKind, ListCommands as _, Redis, Result, RetryPolicy, StringCommands as _,
};
use redis_model_tests::fault::{Answer, Canned, Cut, Faulty};
use redis_model_tests::{key, stack};
use tokio::time::timeout;

use super::pipelined;

fn cut(cuts: &[Cut], retry: RetryPolicy) -> (Redis, Arc<AtomicU32>) {
    let sent = Arc::new(AtomicU32::new(0));
    let (cuts, counter) = (cuts.to_vec(), Arc::clone(&sent));
    let retry = retry.backoff(Duration::from_millis(1), Duration::from_millis(2));
    let builder = pipelined().retry(retry);
    let builder = builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::clone(&counter)));
    (builder.build().unwrap(), sent)
}

#[tokio::test]
async fn after_a_cut_each_command_is_treated_as_it_would_be_alone() -> Result<()> {
    for at in [Cut::Before, Cut::During, Cut::After, Cut::InReply(0), Cut::InReply(25)] {
        let k = &key("cut");
        let (redis, sent) = cut(&[at], RetryPolicy::default());
        let (before, incr, set, got) =
            tokio::join!(redis.set(k, 1), redis.incr(k), redis.set(k, 5), redis.get::<i64>(k));
        assert_eq!((set.is_ok(), got?), (true, Some(5)));
        // Set again, it would undo what stands behind it.
        assert_eq!(before.is_err_and(|error| error.may_have_executed()), at != Cut::Before, "{at:?}");
        assert_eq!(sent.load(Ordering::Relaxed), 2, "{at:?}");
        match (at, incr) {
            (Cut::Before, incr) => assert_eq!(incr?, 2),
            (_, Ok(_)) => panic!("{at:?}: an uncertain INCR must not be reported done"),
            (_, Err(error)) => {
                assert!(error.kind() == ErrorKind::Interrupted && error.may_have_executed(), "{error}");
                assert_eq!((error.command(), error.attempts()), (Some("INCR"), 1));
            }
        }
        let (redis, sent) = cut(&[at], RetryPolicy::never());
        let (got, incr) = tokio::join!(redis.get::<i64>(k), redis.incr(k));
        let (got, incr) = (got.unwrap_err(), incr.unwrap_err());
        assert_eq!((sent.load(Ordering::Relaxed), got.command(), incr.command()), (1, Some("GET"), Some("INCR")));
        assert!(!got.may_have_executed() && incr.may_have_executed() == (at != Cut::Before), "{at:?}");
    }
    Ok(())
}

#[tokio::test]
async fn each_command_tells_for_itself_whether_it_may_have_been_executed() -> Result<()> {
    let k = &key("text");
    stack().redis().set(k, "text").await?;
    let (redis, sent) = cut(&[Cut::After], RetryPolicy::default());
    let (set, wrong) = tokio::join!(redis.set(k, "text"), redis.llen(k));
    let wrong = wrong.unwrap_err();
    assert!(set.is_ok() && wrong.is_wrong_type() && !wrong.may_have_executed(), "{wrong:?}");
    assert_eq!((sent.load(Ordering::Relaxed), wrong.attempts()), (2, 2));
    // What the service asks for is waited for, also where only some are repeated.
    let busy =
        Answer::ok("{\"error\":\"ERR busy\"}").status(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "1");
    let canned = Canned::new([busy, Answer::ok("{\"result\":\"Mg==\"}")]);
    let redis = Redis::builder("https://example.com", "token").auto_pipelining(AutoPipelining::new());
    let redis = redis.transport(canned.clone()).build()?;
    let began = Instant::now();
    let (incr, got) = tokio::join!(redis.incr("k"), redis.get::<i64>("k"));
    assert!(incr.unwrap_err().may_have_executed() && got? == Some(2));
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(canned.requests().len(), 2);
    // However long it asks for.
    let busy = Answer::default().status(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "18446744073709551615");
    let redis = Redis::builder("https://example.com", "token").auto_pipelining(AutoPipelining::new());
    let redis = redis.transport(Canned::new([busy])).build()?;
    let (incr, got) = tokio::join!(redis.incr("k"), redis.get::<i64>("k"));
    for error in [incr.unwrap_err(), got.unwrap_err()] {
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unavailable, 1));
    }
    // Where nothing is repeated nobody waits for it.
    let busy = Answer::default().status(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "20");
    let canned = Canned::new([busy, Answer::ok("{\"result\":\"Mg==\"}")]);
    let redis = Redis::builder("https://example.com", "token").auto_pipelining(AutoPipelining::new());
    let redis = redis.transport(canned).build()?;
    assert!(redis.incr("k").await.unwrap_err().may_have_executed());
    assert_eq!(timeout(Duration::from_secs(10), redis.get::<i64>("k")).await.unwrap()?, Some(2));
    Ok(())
}

#[tokio::test]
async fn replies_that_are_too_large_together_are_read_apart() -> Result<()> {
    let redis = pipelined().max_response_bytes(3000).build()?;
    let k = key("large");
    for n in 0..4 {
        redis.set(format!("{k}{n}"), "x".repeat(1500)).await?;
    }
    for got in join_all((0..4).map(|n| redis.get::<String>(format!("{k}{n}")))).await {
        assert_eq!(got?.map(|text| text.len()), Some(1500));
    }
    redis.set(&k, "x".repeat(9000)).await?;
    let error = redis.get::<String>(&k).await.unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge && !error.may_have_executed(), "{error:?}");
    Ok(())
}
