//! Server-sent events: subscriptions and MONITOR.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::stream::{self, Stream, StreamExt as _};
use redis::Msg;

use crate::http::{Refusal, State, with_type};

/// `/subscribe/CHANNEL[/CHANNEL…]` and `/psubscribe/PATTERN[/PATTERN…]`.
pub(crate) async fn subscribe(state: &Arc<State>, names: Vec<Vec<u8>>, patterns: bool) -> Result<Response, Refusal> {
    let word = if patterns { "psubscribe" } else { "subscribe" };
    if names.is_empty() {
        return Err(Refusal(StatusCode::BAD_REQUEST, format!("ERR wrong number of arguments for '{word}' command")));
    }
    let mut pubsub = state.backend.pubsub().await?;
    let mut greeting = String::new();
    for (at, name) in names.iter().enumerate() {
        let subscribed = if patterns { pubsub.psubscribe(name).await } else { pubsub.subscribe(name).await };
        if let Err(error) = subscribed {
            return Err(Refusal(StatusCode::BAD_REQUEST, format!("ERR the subscription failed: {error}")));
        }
        greeting.push_str(&event(&format!("{word},{},{}", String::from_utf8_lossy(name), at + 1)));
    }
    let messages = pubsub.into_on_message().map(|message| event(&message_text(&message)));
    Ok(events(state, stream::iter([greeting]).chain(messages)))
}

/// `/monitor`.
pub(crate) async fn monitor(state: &Arc<State>) -> Result<Response, Refusal> {
    let lines = state.backend.monitor().await?.into_on_message::<String>();
    Ok(events(state, stream::iter([event("\"OK\"")]).chain(lines.map(|line| event(&line)))))
}

fn message_text(message: &Msg) -> String {
    let channel = message.get_channel::<Vec<u8>>().unwrap_or_default();
    let channel = String::from_utf8_lossy(&channel);
    let payload = String::from_utf8_lossy(message.get_payload_bytes());
    match message.get_pattern::<Option<Vec<u8>>>() {
        Ok(Some(pattern)) => format!("pmessage,{},{channel},{payload}", String::from_utf8_lossy(&pattern)),
        _ => format!("message,{channel},{payload}"),
    }
}

/// An event of one `data:` line for each line of the text, whichever way its lines end: to a reader of events `\r` ends
/// one too.
fn event(text: &str) -> String {
    let lines = text.replace("\r\n", "\n");
    let mut event: String = lines.split(['\n', '\r']).map(|line| format!("data: {line}\n")).collect();
    event.push('\n');
    event
}

fn events(state: &State, events: impl Stream<Item = String> + Send + 'static) -> Response {
    let chunks = events.map(|event| Ok::<_, Infallible>(Bytes::from(event)));
    let chunks = chunks.take_until(Box::pin(state.stopped()));
    with_type(StatusCode::OK, "text/event-stream", Body::from_stream(chunks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_of_two_lines_is_one_event_of_two_data_lines() {
        assert_eq!(event("message,chat,a,b\nc\rd\r\ne"), "data: message,chat,a,b\ndata: c\ndata: d\ndata: e\n\n");
    }
}
