use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use redis_model::redis_rest::subscribe::{Message, MonitorEvent, MonitoredCommand, Subscription, SubscriptionEvent};
use redis_model::redis_rest::{ErrorKind, Json, PubSubCommands as _, Redis, Result, RetryPolicy, StringCommands as _};
use redis_model_tests::fault::{Answer, Canned, Cut, Faulty};
use redis_model_tests::{ENCODINGS, key, own_stack, stack};
use redis_rest_gateway::Gateway;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

async fn event(subscription: &mut Subscription) -> Result<SubscriptionEvent> {
    timeout(SOON, subscription.next()).await.unwrap().unwrap()
}

async fn subscribed(subscription: &mut Subscription) -> Result<String> {
    match event(subscription).await? {
        SubscriptionEvent::Subscribed { name, count: 1 } => Ok(String::from_utf8_lossy(&name).into_owned()),
        other => panic!("{other:?}"),
    }
}

async fn message(subscription: &mut Subscription) -> Result<Message> {
    match event(subscription).await? {
        SubscriptionEvent::Message(message) => Ok(message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn payloads_come_as_they_were_published() -> Result<()> {
    let long = "x,".repeat(100_000);
    let payloads =
        ["hello", "", "a,b,,c", "two\nlines\n", "\n\n", " data: x", "h\u{e9}\u{1f980}\u{0}", "{\"a\":1}", &long];
    for encoding in ENCODINGS {
        let redis = &stack().builder().encoding(encoding).build()?;
        let channel = &key("a,b /?#%41\u{e9}\n");
        let mut chat = redis.subscribe([channel]);
        assert_eq!(&subscribed(&mut chat).await?, channel);
        for payload in payloads {
            assert_eq!(redis.publish(channel, payload).await?, 1);
            let message = message(&mut chat).await?;
            assert!(message.text()? == payload, "{payload:.20}");
            assert_eq!((&message.channel[..], message.pattern), (channel.as_bytes(), None));
        }
    }
    Ok(())
}

#[tokio::test]
async fn several_channels_and_patterns() -> Result<()> {
    let redis = &stack().redis();
    let k = key("many");
    let (one, two, pattern) = (format!("{k}:one"), format!("{k}:one,two"), format!("{k}:p,*"));
    let mut all = redis.subscribe([&one, &two]).psubscribe([&pattern]);
    let mut names = vec![subscribed(&mut all).await?, subscribed(&mut all).await?, subscribed(&mut all).await?];
    names.sort();
    assert_eq!(names, [one.clone(), two.clone(), pattern.clone()]);
    assert_eq!(redis.pubsub_numsub::<String>([&one, &two]).await?, [(one.clone(), 1), (two.clone(), 1)]);
    let matching = format!("{k}:p,x");
    for (channel, payload) in [(&one, "two,x"), (&two, "x"), (&matching, "a,b")] {
        redis.publish(channel, payload).await?;
        let message = message(&mut all).await?;
        assert_eq!((&message.channel[..], message.text()?), (channel.as_bytes(), payload));
        assert_eq!(message.pattern.is_some(), channel == &matching);
    }
    drop(all);
    // The server hears of it by the connection's end.
    let began = std::time::Instant::now();
    while redis.pubsub_numsub::<String>([&one]).await?[0].1 > 0 {
        assert!(began.elapsed() < SOON, "dropping a subscription ends it");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[tokio::test]
async fn messages_of_a_channel_keep_their_order_and_a_busy_one_does_not_silence_the_other() -> Result<()> {
    let redis = &stack().redis();
    let (busy, quiet) = (&key("busy"), &key("quiet"));
    let mut both = redis.subscribe([busy, quiet]);
    subscribed(&mut both).await?;
    subscribed(&mut both).await?;
    let mut batch = redis.batch();
    for n in 0..2000 {
        let _ = batch.publish(busy, n);
        if n == 200 {
            let _ = batch.publish(quiet, "heard");
        }
    }
    batch.exec().await?;
    let (mut next, mut heard) = (0, None);
    while next < 2000 || heard.is_none() {
        let message = message(&mut both).await?;
        if message.channel == quiet.as_bytes() {
            heard = Some(next);
        } else {
            assert_eq!(message.text()?, next.to_string());
            next += 1;
        }
    }
    assert!(heard.is_some_and(|heard| heard < 2000), "{heard:?}");
    Ok(())
}

#[tokio::test]
async fn a_pattern_says_where_its_channels_end() -> Result<()> {
    let redis = &stack().redis();
    let k = key("glob");
    let mut both = redis.psubscribe([format!("{k}[^,]"), format!("{k}:?,*")]);
    subscribed(&mut both).await?;
    subscribed(&mut both).await?;
    for (channel, payload) in [(format!("{k}b"), "x"), (format!("{k}c"), "x,y"), (format!("{k}:a,b"), "x,y")] {
        redis.publish(&channel, payload).await?;
        let message = message(&mut both).await?;
        assert_eq!((&message.channel[..], message.text()?), (channel.as_bytes(), payload));
    }
    Ok(())
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

fn quick() -> RetryPolicy {
    RetryPolicy::default().backoff(Duration::from_millis(5), Duration::from_millis(20))
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

#[tokio::test]
async fn a_monitor_sees_every_command() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    let mut monitor = redis.monitor();
    assert!(matches!(timeout(SOON, monitor.next()).await, Ok(Some(Ok(MonitorEvent::Started)))));
    redis.set("k", "a \"b\"\n\u{e9}").await?;
    let command: MonitoredCommand = loop {
        match timeout(SOON, monitor.next()).await.unwrap().unwrap()? {
            MonitorEvent::Command(command) if command.line().contains(r#""SET" "k""#) => break command,
            MonitorEvent::Command(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(command.args(), ["SET".as_bytes(), b"k", "a \"b\"\n\u{e9}".as_bytes()]);
    assert!(command.time().unwrap().elapsed().unwrap_or_default() < SOON);
    Ok(())
}

#[test]
fn the_blocking_client_waits_for_each_event() -> Result<()> {
    let redis = stack().blocking();
    let channel = &key("blocking");
    let mut seen = HashMap::new();
    for event in redis.subscribe([channel]).take(4) {
        match event? {
            SubscriptionEvent::Subscribed { .. } => {
                for n in 0..3 {
                    redis.publish(channel, n)?;
                }
            }
            SubscriptionEvent::Message(message) => *seen.entry(message.text()?.to_owned()).or_insert(0) += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, ["0", "1", "2"].map(|n| (n.to_owned(), 1)).into());
    Ok(())
}

/// Whoever publishes chooses the payload: matching the pattern before each comma of it would take minutes.
#[tokio::test]
async fn a_payload_of_commas_costs_a_pattern_nothing() -> Result<()> {
    let redis = &stack().redis();
    let k = key("commas");
    let commas = ",".repeat(400_000);
    let mut patterns = redis.psubscribe([format!("{k},*x"), format!("{k}:{}*", "*,".repeat(20))]);
    subscribed(&mut patterns).await?;
    subscribed(&mut patterns).await?;
    redis.publish(format!("{k},yx"), &commas).await?;
    let first = message(&mut patterns).await?;
    assert_eq!((first.channel, first.payload), (format!("{k},yx").into(), commas.clone().into()));
    let channel = format!("{k}:{}", ",".repeat(20));
    redis.publish(&channel, &commas).await?;
    let second = message(&mut patterns).await?;
    assert_eq!((second.channel, second.payload), (channel.into(), commas.into()));
    Ok(())
}

#[tokio::test]
async fn a_payload_is_read_as_json() -> Result<()> {
    let redis = &stack().redis();
    let channel = &key("json");
    let mut chat = redis.subscribe([channel]);
    subscribed(&mut chat).await?;
    redis.publish(channel, Json(("caf\u{e9}", [1, 2]))).await?;
    redis.publish(channel, r#"["s3cr3t"]"#).await?;
    let typed: (String, Vec<u8>) = message(&mut chat).await?.json()?;
    assert_eq!(typed, ("caf\u{e9}".to_owned(), vec![1, 2]));
    let error = message(&mut chat).await?.json::<Vec<u8>>().unwrap_err();
    assert_eq!(error.message(), "the payload is not JSON of alloc::vec::Vec<u8>");
    assert!(error.is_decode());
    Ok(())
}

async fn subscribers(redis: &Redis, channel: &str, expected: u64) -> Result<()> {
    let began = std::time::Instant::now();
    while redis.pubsub_numsub::<String>([channel]).await?[0].1 != expected {
        assert!(began.elapsed() < SOON, "{channel} does not have {expected} subscribers");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[tokio::test]
async fn one_channel_ends_and_the_others_go_on() -> Result<()> {
    let redis = &stack().redis();
    let k = key("some");
    let (one, two, pattern) = (format!("{k}:one"), format!("{k}:two"), format!("{k}:t*"));
    let mut all = redis.subscribe([&one, &two]).psubscribe([&pattern]);
    for _ in 0..3 {
        subscribed(&mut all).await?;
    }
    all.unsubscribe(&one);
    all.unsubscribe(&pattern);
    all.unsubscribe("never");
    subscribers(redis, &one, 0).await?;
    redis.publish(&one, "unheard").await?;
    redis.publish(&two, "heard").await?;
    let heard = [message(&mut all).await?, message(&mut all).await?];
    assert!(heard.iter().all(|message| message.channel == two && message.text().is_ok_and(|text| text == "heard")));
    all.punsubscribe(&pattern);
    redis.publish(&two, "once").await?;
    assert_eq!(message(&mut all).await?.pattern, None);
    // One that was ended can be started again, and so can one of which all has ended.
    all = all.subscribe([&one]);
    assert_eq!(subscribed(&mut all).await?, one);
    all.unsubscribe(&one);
    all.unsubscribe(&two);
    assert!(all.next().await.is_none());
    all = all.subscribe([&two]);
    assert_eq!(subscribed(&mut all).await?, two);
    Ok(())
}

#[tokio::test]
async fn a_handle_reaches_a_subscription_that_is_waited_for() -> Result<()> {
    let redis = &stack().redis();
    let k = key("handle");
    let (one, two) = (format!("{k}:one"), format!("{k}:two"));
    let mut both = redis.subscribe([&one, &two]);
    subscribed(&mut both).await?;
    subscribed(&mut both).await?;
    let handle = both.handle();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let waiting = tokio::spawn(async move {
        let mut heard = Vec::new();
        while let Some(Ok(SubscriptionEvent::Message(message))) = both.next().await {
            heard.push(message.channel);
            counter.fetch_add(1, Ordering::SeqCst);
        }
        heard
    });
    handle.unsubscribe(&one);
    subscribers(redis, &one, 0).await?;
    redis.publish(&one, "unheard").await?;
    redis.publish(&two, "heard").await?;
    while count.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    handle.clone().close();
    assert_eq!(timeout(SOON, waiting).await.unwrap().unwrap(), [two.as_str()]);
    subscribers(redis, &two, 0).await
}

#[test]
fn a_blocking_iterator_is_ended_from_another_thread() -> Result<()> {
    let redis = stack().blocking();
    let (one, two) = (key("blocking one"), key("blocking two"));
    let chat = redis.subscribe([&one, &two]);
    let handle = chat.handle();
    let (started, wait) = std::sync::mpsc::channel();
    std::thread::scope(|threads| {
        let waiting = threads.spawn(move || {
            let mut heard = Vec::new();
            for event in chat {
                match event.unwrap() {
                    SubscriptionEvent::Subscribed { .. } => started.send(()).unwrap(),
                    SubscriptionEvent::Message(message) => {
                        heard.push(message.text().unwrap().to_owned());
                        started.send(()).unwrap();
                    }
                    other => panic!("{other:?}"),
                }
            }
            heard
        });
        wait.recv().unwrap();
        wait.recv().unwrap();
        handle.unsubscribe(&one);
        while redis.pubsub_numsub::<String>([&one])?[0].1 != 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        redis.publish(&one, "unheard")?;
        redis.publish(&two, "heard")?;
        wait.recv().unwrap();
        handle.close();
        assert_eq!(waiting.join().unwrap(), ["heard"]);
        Ok(())
    })
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
