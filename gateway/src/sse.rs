//! Server-sent events: subscriptions and MONITOR.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream::{self, Stream, StreamExt as _};

use crate::backend::Connection;
use crate::resp::Value;
use crate::response::{self, Refusal};
use crate::state::State;

/// `/subscribe/CHANNEL[/CHANNEL…]` and `/psubscribe/PATTERN[/PATTERN…]`.
pub(crate) async fn subscribe(state: &Arc<State>, names: Vec<Bytes>, patterns: bool) -> Result<Response, Refusal> {
    let word = if patterns { "psubscribe" } else { "subscribe" };
    if names.is_empty() {
        return Err(Refusal::bad_request(format!("ERR wrong number of arguments for '{word}' command")));
    }
    let command = [Bytes::from_static(word.as_bytes())].into_iter().chain(names).collect();
    Ok(events(state, begin(state, command).await?.map(|value| joined(&value))))
}

/// `/monitor`.
pub(crate) async fn monitor(state: &Arc<State>) -> Result<Response, Refusal> {
    let lines = begin(state, vec![Bytes::from_static(b"MONITOR")]).await?.enumerate();
    Ok(events(state, lines.map(|(at, line)| if at == 0 { "\"OK\"".to_owned() } else { joined(&line) })))
}

/// What Redis says after a command that has no end, the command's own reply first.
async fn begin(state: &State, command: Vec<Bytes>) -> Result<impl Stream<Item = Value> + Send + 'static, Refusal> {
    let mut connection = state.backend.new_connection().await?;
    let first = connection.run(&[command]).await?.pop().unwrap_or(Value::Nil);
    if let Value::Error(error) = &first {
        return Err(Refusal::bad_request(String::from_utf8_lossy(error)));
    }
    let rest = stream::unfold(connection, |mut connection: Connection| async {
        let value = connection.next().await.ok()?;
        Some((value, connection))
    });
    Ok(stream::iter([first]).chain(rest))
}

/// The parts of a message with commas between them: `message,CHANNEL,PAYLOAD`.
fn joined(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(joined).collect::<Vec<_>>().join(","),
        Value::Status(bytes) | Value::Bulk(bytes) | Value::Error(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Int(int) => int.to_string(),
        Value::Nil => String::new(),
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

fn events(state: &State, texts: impl Stream<Item = String> + Send + 'static) -> Response {
    let chunks = texts.map(|text| Ok::<_, Infallible>(Bytes::from(event(&text))));
    let chunks = chunks.take_until(Box::pin(state.stopped()));
    response::event_stream(Body::from_stream(chunks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_of_two_lines_is_one_event_of_two_data_lines() {
        assert_eq!(event("message,chat,a,b\nc\rd\r\ne"), "data: message,chat,a,b\ndata: c\ndata: d\ndata: e\n\n");
    }
}
