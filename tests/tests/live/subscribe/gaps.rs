//! Connections that break or fall silent.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use redis_model::redis_rest::subscribe::SubscriptionEvent;
use redis_model::redis_rest::{ErrorKind, PubSubCommands as _, Redis, Result, RetryPolicy};
use redis_model_tests::fault::{Answer, Canned, Cut, Faulty};
use redis_model_tests::{key, own_stack, stack};
use redis_rest_gateway::Gateway;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::{SOON, event, message, subscribed};

fn quick() -> RetryPolicy {
    RetryPolicy::default().backoff(Duration::from_millis(5), Duration::from_millis(20))
}

/// A proxy that greets and hangs up is not asked as fast as it can answer.
#[tokio::test]
async fn what_is_ended_over_and_over_is_tried_less_and_less() -> Result<()> {
    let canned = Canned::new([Answer::ok("data: subscribe,chat,1\n\n")]);
    let policy = RetryPolicy::default().backoff(Duration::from_millis(40), Duration::from_secs(600));
    let builder = Redis::builder("https://example.com", "token").retry(policy).transport(canned.clone());
    let mut chat = builder.build()?.subscribe(["chat"]);
    let _ = timeout(Duration::from_secs(2), async { while chat.next().await.is_some() {} }).await;
    // 40 ms, 80, 160, .. at most: after two seconds a wait is longer than all before it.
    assert!(canned.requests().len() < 40, "{}", canned.requests().len());
    let later = Answer::default().status(StatusCode::TOO_MANY_REQUESTS).header("retry-after", "86400");
    let builder = Redis::builder("https://example.com", "token").transport(Canned::new([later]));
    let mut chat = builder.build()?.subscribe(["chat"]);
    assert!(event(&mut chat).await.unwrap_err().is_rate_limited());
    Ok(())
}

#[tokio::test]
async fn a_broken_connection_is_a_visible_gap_and_is_mended() -> Result<()> {
    let stack = own_stack();
    let redis = stack.builder().retry(quick()).build()?;
    let mut chat = redis.subscribe(["chat"]);
    subscribed(&mut chat).await?;
    for round in 0..5 {
        stack.over_tcp("CLIENT KILL TYPE pubsub").await;
        match event(&mut chat).await? {
            SubscriptionEvent::Gap { name, cause } => {
                assert_eq!((&name[..], cause.kind()), (&b"chat"[..], ErrorKind::Interrupted));
            }
            other => panic!("{other:?}"),
        }
        subscribed(&mut chat).await?;
        redis.publish("chat", round).await?;
        assert_eq!(message(&mut chat).await?.text()?, round.to_string());
    }
    Ok(())
}

#[tokio::test]
async fn without_retries_a_break_is_the_end() -> Result<()> {
    let stack = own_stack();
    let redis = stack.builder().retry(RetryPolicy::never()).build()?;
    let mut chat = redis.subscribe(["chat"]);
    subscribed(&mut chat).await?;
    stack.over_tcp("CLIENT KILL TYPE pubsub").await;
    let error = event(&mut chat).await.unwrap_err();
    assert_eq!((error.kind(), error.command()), (ErrorKind::Interrupted, Some("SUBSCRIBE")));
    assert!(chat.next().await.is_none());
    Ok(())
}

#[tokio::test]
async fn events_that_break_off_anywhere_are_gaps_too() -> Result<()> {
    let channel = &key("cut");
    let plain = stack().redis();
    for at in (0..60).step_by(3) {
        let cuts = vec![Cut::Before, Cut::After, Cut::InReply(at)];
        let builder = stack().builder().retry(quick());
        let redis = builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::default())).build()?;
        let mut chat = redis.subscribe([channel]);
        // It is subscribed to before the cut, or only after it.
        let mut texts = Vec::new();
        let mut subscriptions = 0;
        while texts.last().is_none_or(|text| text != "last") {
            match event(&mut chat).await? {
                SubscriptionEvent::Subscribed { .. } => {
                    subscriptions += 1;
                    plain.publish(channel, "hello").await?;
                    plain.publish(channel, "last").await?;
                }
                SubscriptionEvent::Message(message) => texts.push(message.text()?.to_owned()),
                SubscriptionEvent::Gap { .. } => texts.clear(),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(texts, ["hello", "last"], "{at}");
        assert!(subscriptions <= 2);
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_mended_is_an_error_at_once() -> Result<()> {
    let wrong = Redis::builder(stack().gateway.url(), "wrong").retry(quick()).build()?;
    let error = event(&mut wrong.subscribe(["chat"])).await.unwrap_err();
    assert!(error.is_unauthorized() && error.attempts() == 1, "{error}");
    let nobody = Redis::builder("http://127.0.0.1:9", "token").retry(quick()).build()?;
    let error = event(&mut nobody.subscribe(["chat"])).await.unwrap_err();
    assert!(error.is_connect() && error.attempts() == 4, "{error}");
    // Its time begins when it is polled, not when it is made.
    let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1));
    let patient =
        Redis::builder("http://127.0.0.1:9", "token").retry(policy).deadline(Duration::from_secs(2)).build()?;
    let mut late = patient.subscribe(["chat"]);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(event(&mut late).await.unwrap_err().attempts(), 4);
    let redis = stack().redis();
    let nothing: [&str; 0] = [];
    for mut refused in [redis.subscribe(nothing), redis.subscribe([""]), redis.psubscribe([".."])] {
        let error = event(&mut refused).await.unwrap_err();
        assert!(error.is_invalid_input() && error.command().is_some_and(|name| name.ends_with("SUBSCRIBE")), "{error}");
        assert!(refused.next().await.is_none());
    }
    Ok(())
}

/// A server that sends a head, then what it is told, and then nothing, or the same comment for ever.
async fn silent_after(events: &'static [u8], comments: bool) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n").await;
                let _ = stream.write_all(events).await;
                loop {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    if comments && stream.write_all(b": still here\n\n").await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn what_never_confirms_is_not_waited_for() -> Result<()> {
    for comments in [false, true] {
        let url = silent_after(b"", comments).await;
        let builder = Redis::builder(url, "token").retry(quick().retries(1)).timeout(Duration::from_millis(200));
        let redis = builder.build()?;
        let error = event(&mut redis.subscribe(["chat"])).await.unwrap_err();
        assert!(error.is_timeout() && error.attempts() == 2, "{error:?}");
        assert!(error.message().contains("did not confirm"), "{error}");
        let error = timeout(SOON, redis.monitor().next()).await.unwrap().unwrap().unwrap_err();
        assert!(error.is_timeout() && error.command() == Some("MONITOR"), "{error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_silence_over_the_limit_is_a_gap() -> Result<()> {
    const HELLO: &[u8] = b"data: subscribe,chat,1\n\n";
    let builder = Redis::builder(silent_after(HELLO, false).await, "token").retry(quick());
    let redis = builder.idle_timeout(Duration::from_millis(100)).build()?;
    let mut chat = redis.subscribe(["chat"]);
    for _ in 0..3 {
        subscribed(&mut chat).await?;
        match event(&mut chat).await? {
            SubscriptionEvent::Gap { cause, .. } => assert!(cause.is_timeout(), "{cause}"),
            other => panic!("{other:?}"),
        }
    }
    // Comments are signs of life. Without them, and without a limit, a quiet channel is just quiet.
    let with_comments = Redis::builder(silent_after(HELLO, true).await, "token").idle_timeout(Duration::from_secs(5));
    let unlimited = Redis::builder(silent_after(HELLO, false).await, "token").timeout(Duration::from_millis(100));
    for builder in [with_comments, unlimited] {
        let mut chat = builder.build()?.subscribe(["chat"]);
        subscribed(&mut chat).await?;
        assert!(timeout(Duration::from_millis(500), chat.next()).await.is_err());
    }
    assert!(Redis::builder("https://example.com", "token").idle_timeout(Duration::ZERO).build().is_err());
    Ok(())
}

#[tokio::test]
async fn the_heartbeat_of_the_gateway_keeps_a_quiet_channel_alive() -> Result<()> {
    let gateway = Gateway::over(stack().server.url()).heartbeat(Duration::from_millis(100)).start().await.unwrap();
    let builder = Redis::builder(gateway.url(), gateway.token()).idle_timeout(Duration::from_secs(1));
    let mut chat = builder.build()?.subscribe([key("quiet")]);
    subscribed(&mut chat).await?;
    assert!(timeout(Duration::from_millis(2500), chat.next()).await.is_err());
    Ok(())
}
