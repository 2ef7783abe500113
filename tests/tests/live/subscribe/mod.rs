//! Subscriptions: what arrives, what breaks, and how they end.

mod gaps;
mod handles;
mod messages;

use std::time::Duration;

use redis_model::redis_rest::Result;
use redis_model::redis_rest::subscribe::{Message, Subscription, SubscriptionEvent};
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
