//! Appends that publish the id of the last entry.

use std::time::Duration;

use redis_model::prelude::*;
use redis_model::redis_rest::subscribe::{Subscription, SubscriptionEvent};
use redis_model::stream::{AppendOptions, Expected};
use redis_model_tests::{Stack, key, own_stack};

use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "publish-events", publish)]
enum Event {
    Paid { cents: i64 },
    Closed,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, versioned, prefix = "publish-versions", publish)]
enum Decided {
    Closed,
}

async fn event(feed: &mut Subscription) -> Result<SubscriptionEvent> {
    tokio::time::timeout(Duration::from_secs(5), feed.next()).await.expect("an event").expect("an event")
}

async fn publishes(stack: &Stack) -> Result<()> {
    let redis = stack.redis();
    let log = Event::log(key("log"));
    let mut feed = redis.subscribe([log.key()]);
    assert!(matches!(event(&mut feed).await?, SubscriptionEvent::Subscribed { .. }));
    let mut next = async || -> Result<String> {
        let SubscriptionEvent::Message(message) = event(&mut feed).await? else { panic!("a message") };
        assert_eq!(message.channel, log.key().as_bytes());
        Ok(message.text()?.to_owned())
    };

    let id = log.append(&redis, &Event::Paid { cents: 5 }).await?;
    assert_eq!(next().await?, id.to_string());
    let ids = log.append_many(&redis, &[Event::Paid { cents: 6 }, Event::Closed]).await?;
    assert_eq!((ids.len(), next().await?), (2, ids[1].to_string()));
    let (id, length) = log.len(log.append(redis.pipeline(), &Event::Closed)).exec().await?;
    assert_eq!((length, next().await?), (4, id.to_string()));
    let (id, _) = log.len(log.append(redis.transaction(), &Event::Closed)).exec().await?;
    assert_eq!(next().await?, id.to_string());
    let at = StreamId::new(id.millis + 100_000, 7);
    assert_eq!(log.append_at(&redis, at, &Event::Closed).await?, at);
    assert_eq!(next().await?, at.to_string());
    let ids = log.append_with(&redis, [&Event::Closed], &AppendOptions::new().once("a")).await?;
    assert_eq!(next().await?, ids[0].to_string());
    let events: Result<Vec<_>> = log.range(&redis, .., 100).await?.into_iter().map(|entry| entry.event).collect();
    assert_eq!(events?.len(), 7);

    let blocking = stack.blocking();
    let id = {
        let log = log.clone();
        tokio::task::spawn_blocking(move || log.append(&blocking, &Event::Closed)).await.expect("a thread")?
    };
    assert_eq!(next().await?, id.to_string());
    Ok(())
}

/// A message is a hint: who may not publish has appended.
#[tokio::test]
async fn who_may_not_publish_appends() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    redis.execute::<()>(["ACL", "SETUSER", "default", "resetchannels"]).await?;
    let log = Event::log(key("quiet"));
    let options = AppendOptions::new().once("a");
    let first = log.append_with(&redis, [&Event::Closed], &options).await?;
    assert_eq!(log.append_with(&redis, [&Event::Closed], &options).await?, first);
    log.append(&redis, &Event::Closed).await?;
    assert_eq!(log.len(&redis).await?, 2);
    let versioned = Decided::log(key("quiet")).versioned();
    assert_eq!(versioned.append(&redis, Expected::NoStream, [&Decided::Closed]).await?.version, 1);
    Ok(())
}

#[tokio::test]
async fn each_append_publishes_the_last_id() -> Result<()> {
    for stack in servers() {
        publishes(stack).await?;
    }
    Ok(())
}
