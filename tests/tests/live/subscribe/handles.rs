//! Subscriptions that other tasks and threads end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis_model::redis_rest::subscribe::SubscriptionEvent;
use redis_model::redis_rest::{PubSubCommands as _, Redis, Result};
use redis_model_tests::{key, stack};
use tokio::time::timeout;

use super::{SOON, message, subscribed};

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
