//! Subscriptions.

use std::time::Duration;

use http_body_util::BodyExt as _;
use redis_model_tools::Outcome;

use super::{Suite, equal, holds};
use crate::http;

/// Publishes until somebody has got the message.
async fn publish(suite: &Suite, channel: &str, message: &str) -> Outcome<()> {
    for _ in 0..100 {
        let answer = suite.call(&format!("/publish?channel={channel}&message={message}")).await?;
        if answer.status != 200 || answer.text() != "0" {
            return equal((200, "1"), &answer);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("nobody has subscribed".into())
}

pub async fn a_message_arrives(suite: &Suite) -> Outcome<()> {
    let (message, published) = tokio::join!(suite.call("/subscribe?channel=one"), publish(suite, "one", "hello"));
    published?;
    equal((200, "hello"), &message?)
}

pub async fn a_subscription_is_dropped_and_opened_again(suite: &Suite) -> Outcome<()> {
    let publishes = async {
        publish(suite, "again", "first").await?;
        // The gateway may take a moment to see that the first subscription has ended.
        for _ in 0..100 {
            let answer = suite.call("/publish?channel=again&message=second").await?;
            holds(answer.status == 200, || answer.text())?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok::<(), Box<dyn std::error::Error>>(())
    };
    let subscribes = suite.call("/resubscribe?channel=again");
    tokio::select! {
        answer = subscribes => equal((200, "first second"), &answer?),
        published = publishes => published.and(Err("the second subscription got no message".into())),
    }
}

/// A Worker gives no stream of one request to another. That must not look like an end, or hang.
pub async fn a_subscription_of_another_request_fails(suite: &Suite) -> Outcome<()> {
    suite.expect("/keep?channel=kept", "kept").await?;
    let why = suite.expect_error("/kept", "Interrupted may_have_executed=false attempts=1: SUBSCRIBE:").await?;
    holds(why.contains("different request"), || why)
}

pub async fn messages_are_passed_on_as_events(suite: &Suite) -> Outcome<()> {
    let response = http::open(suite.workerd.port("main")?, "/sse?channel=events").await?;
    let kind = response.headers().get("content-type").cloned();
    holds(kind.as_ref().is_some_and(|kind| kind == "text/event-stream"), || format!("{kind:?}"))?;
    let mut body = response.into_body();
    let mut text = String::new();
    for (message, expected) in [("", ": subscribed\n\n"), ("one", "data: one\n\n"), ("two", "data: two\n\n")] {
        if !message.is_empty() {
            publish(suite, "events", message).await?;
        }
        // Each event arrives before the next one is published.
        while !text.ends_with(expected) {
            let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await;
            let frame = frame.map_err(|_| format!("no event after {text:?}"))?.ok_or("the stream has ended")??;
            text.push_str(&String::from_utf8_lossy(frame.data_ref().map_or(b"", |data| data)));
        }
    }
    equal_text(": subscribed\n\ndata: one\n\ndata: two\n\n", &text)
}

fn equal_text(expected: &str, found: &str) -> Outcome<()> {
    holds(expected == found, || format!("expected {expected:?}\nfound    {found:?}"))
}
