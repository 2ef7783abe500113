//! Server-sent events: subscriptions and MONITOR.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream::{self, Stream, StreamExt as _};

use crate::auth::Access;
use crate::backend::Connection;
use crate::resp::Value;
use crate::response::{self, Refusal};
use crate::state::State;

/// Answers `/subscribe/CHANNEL[/CHANNEL…]` and `/psubscribe/PATTERN[/PATTERN…]`.
pub(crate) async fn subscribe(
    state: &Arc<State>,
    access: &Access,
    channels: Vec<Bytes>,
    patterns: bool,
) -> Result<Response, Refusal> {
    let name = if patterns { "psubscribe" } else { "subscribe" };
    if channels.is_empty() {
        return Err(Refusal::bad_request(format!("ERR wrong number of arguments for '{name}' command")));
    }
    let values = open(state, access, name, channels).await?;
    Ok(events(state, values.map(|value| value.map(|value| join_parts(&value)))))
}

/// Answers `/monitor`.
pub(crate) async fn monitor(state: &Arc<State>, access: &Access) -> Result<Response, Refusal> {
    let lines = open(state, access, "monitor", Vec::new()).await?.enumerate();
    let text = |at, line: Value| if at == 0 { "\"OK\"".to_owned() } else { join_parts(&line) };
    Ok(events(state, lines.map(move |(at, line)| line.map(|line| text(at, line)))))
}

/// Runs a command that never ends. Returns its reply and all that Redis sends after it, and `None` after each silence of
/// the heartbeat's length.
async fn open(
    state: &State,
    access: &Access,
    name: &'static str,
    args: Vec<Bytes>,
) -> Result<impl Stream<Item = Option<Value>> + Send + 'static, Refusal> {
    state.policy.judge_stream(name, !matches!(access, Access::ReadOnly)).map_err(Refusal::bad_request)?;
    let command = [Bytes::from_static(name.as_bytes())].into_iter().chain(args).collect();
    let mut connection = match access {
        Access::Full | Access::ReadOnly => state.backend.new_connection().await?,
        Access::User(login) => state.backend.new_connection_as(&login.auth()).await?,
    };
    let heartbeat = if state.heartbeat.is_zero() { Duration::MAX } else { state.heartbeat };
    let first = connection.run(&[command]).await?.pop().unwrap_or(Value::Nil);
    if let Value::Error(error) = &first {
        return Err(Refusal::bad_request(String::from_utf8_lossy(error)));
    }
    let rest = stream::unfold(connection, move |mut connection: Connection| async move {
        // A timeout loses nothing: the connection keeps what has arrived of the next value.
        match tokio::time::timeout(heartbeat, connection.next()).await {
            Ok(value) => Some((Some(value.ok()?), connection)),
            Err(_) => Some((None, connection)),
        }
    });
    Ok(stream::iter([Some(first)]).chain(rest))
}

/// Returns the parts of a message, separated by commas, as in `message,CHANNEL,PAYLOAD`.
fn join_parts(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(join_parts).collect::<Vec<_>>().join(","),
        Value::Status(bytes) | Value::Bulk(bytes) | Value::Error(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Int(int) => int.to_string(),
        Value::Nil => String::new(),
    }
}

/// Returns an event with a `data:` line for each line of the text.
///
/// `\r` alone ends a line too, since readers of server-sent events treat it so.
fn event(text: &str) -> String {
    let lines = text.replace("\r\n", "\n");
    let mut event: String = lines.split(['\n', '\r']).map(|line| format!("data: {line}\n")).collect();
    event.push('\n');
    event
}

/// Returns the response that sends each text as an event, and a comment for `None`, until the gateway is dropped.
fn events(state: &State, texts: impl Stream<Item = Option<String>> + Send + 'static) -> Response {
    let chunk = |text: Option<String>| text.map_or(Bytes::from_static(b": heartbeat\n\n"), |text| event(&text).into());
    let chunks = texts.map(move |text| Ok::<_, Infallible>(chunk(text)));
    let chunks = chunks.take_until(Box::pin(state.stopped()));
    response::event_stream(Body::from_stream(chunks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_payload_is_a_data_line() {
        assert_eq!(event("message,chat,a,b\nc\rd\r\ne"), "data: message,chat,a,b\ndata: c\ndata: d\ndata: e\n\n");
    }
}
