//! What subscribers receive.

use std::collections::HashMap;
use std::time::Duration;

use redis_model::redis_rest::subscribe::{MonitorEvent, MonitoredCommand, SubscriptionEvent};
use redis_model::redis_rest::{Json, PubSubCommands as _, Result, StringCommands as _};
use redis_model_tests::{ENCODINGS, key, own_stack, stack};
use tokio::time::timeout;

use super::{SOON, message, subscribed};

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
