//! Subscriptions.

use std::cell::RefCell;

use futures_util::StreamExt as _;
use redis_model::redis_rest::PubSubCommands as _;
use redis_model::redis_rest::subscribe::{Subscription, SubscriptionEvent};
use redis_model::{Error, ErrorKind};
use worker::{Headers, Response};

use crate::call::{Call, wrong};

/// Returns the number of subscribers that got the message.
pub async fn publish(call: &Call) -> Result<String, Error> {
    Ok(call.redis()?.publish(call.text("channel"), call.text("message")).await?.to_string())
}

pub async fn subscribe(call: &Call) -> Result<String, Error> {
    let mut events = call.redis()?.subscribe([call.text("channel")]);
    message(&mut events).await
}

/// Drops a subscription after its first message, and opens another.
pub async fn resubscribe(call: &Call) -> Result<String, Error> {
    let redis = call.redis()?;
    let mut first = redis.subscribe([call.text("channel")]);
    let before = message(&mut first).await?;
    drop(first);
    let mut second = redis.subscribe([call.text("channel")]);
    // It must not have the message that the first one had.
    let after = loop {
        let text = message(&mut second).await?;
        if text != before {
            break text;
        }
    };
    Ok(format!("{before} {after}"))
}

thread_local! {
    static KEPT: RefCell<Option<Subscription>> = const { RefCell::new(None) };
}

/// Keeps a subscription for another request, which no Worker should.
pub async fn keep(call: &Call) -> Result<String, Error> {
    let mut events = call.redis()?.subscribe([call.text("channel")]);
    events.next().await.transpose()?;
    KEPT.set(Some(events));
    Ok("kept".to_owned())
}

pub async fn kept() -> Result<String, Error> {
    let mut events = KEPT.take().ok_or_else(|| wrong("there is none"))?;
    message(&mut events).await
}

async fn message(events: &mut Subscription) -> Result<String, Error> {
    while let Some(event) = events.next().await {
        match event? {
            SubscriptionEvent::Message(message) => return Ok(message.text()?.to_owned()),
            SubscriptionEvent::Gap { cause, .. } => return Err(cause),
            _ => {}
        }
    }
    Err(Error::new(ErrorKind::Handler, "the subscription has ended"))
}

/// Passes messages on as server-sent events.
pub fn events(call: &Call) -> worker::Result<Response> {
    let error = |error: Error| worker::Error::RustError(error.to_string());
    let events = call.redis().map_err(error)?.subscribe([call.text("channel")]);
    let events = events.filter_map(move |event| async move {
        match event.map_err(error) {
            Ok(SubscriptionEvent::Message(message)) => {
                Some(Ok(format!("data: {}\n\n", String::from_utf8_lossy(&message.payload)).into_bytes()))
            }
            Ok(SubscriptionEvent::Subscribed { .. }) => Some(Ok(b": subscribed\n\n".to_vec())),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }
    });
    let headers = Headers::new();
    headers.set("content-type", "text/event-stream")?;
    Ok(Response::from_stream(events)?.with_headers(headers))
}
