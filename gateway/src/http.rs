//! The HTTP server: authorization, endpoints and the execution of commands.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use tokio::net::TcpListener;

use crate::limits::Limits;
use crate::listener;
use crate::policy::Verdict;
use crate::reply::Format;
use crate::request;
use crate::resp::{Args, Value};
use crate::response::{self, Refusal, Slot};
use crate::sse;
use crate::state::State;

const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");

/// The commands that a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Full,
    ReadOnly,
}

/// Answers requests until the gateway stops.
pub(crate) async fn serve(listener: TcpListener, state: State, limits: Limits) {
    let stop = state.stop.clone();
    let state = Arc::new(state);
    listener::serve(listener, limits, stop, move |request| answer(Arc::clone(&state), request)).await;
}

async fn answer(state: Arc<State>, request: Request) -> Response {
    let mut response = match respond(&state, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    // The gateway has no replicas to wait for, so it never reads a sync token. Each response only needs a new one.
    let count = state.responses.fetch_add(1, Ordering::Relaxed);
    if let Ok(token) = HeaderValue::try_from(format!("gateway:{count}")) {
        response.headers_mut().insert(SYNC_TOKEN, token);
    }
    response
}

async fn respond(state: &Arc<State>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    if ![Method::HEAD, Method::GET, Method::POST, Method::PUT].contains(&parts.method) {
        return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "ERR method not allowed".to_owned()));
    }
    let query = parts.uri.query().unwrap_or_default();
    let access = authorize(state, &parts.headers, query)?;
    listener::admit(&parts.extensions, access == Access::Full)?;
    let format = format(&parts.headers)?;
    let path = parts.uri.path();
    let (endpoint, rest) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    match endpoint.to_ascii_lowercase().as_str() {
        "subscribe" => return sse::subscribe(state, request::segments(rest), false).await,
        "psubscribe" => return sse::subscribe(state, request::segments(rest), true).await,
        "monitor" if access == Access::Full => return sse::monitor(state).await,
        _ => {}
    }
    let body = read_body(state, body).await?;
    match endpoint {
        "pipeline" => pipeline(state, access, format, &body).await,
        "multi-exec" => transaction(state, access, format, &body).await,
        "" => single(state, access, format, request::command(&body).map_err(Refusal::bad_request)?).await,
        _ => single(state, access, format, request::path_command(path, query, &body)).await,
    }
}

fn authorize(state: &State, headers: &HeaderMap, query: &str) -> Result<Access, Refusal> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    match bearer.or_else(|| request::query_token(query)) {
        Some(token) if token == state.token => Ok(Access::Full),
        Some(token) if token == state.read_only_token => Ok(Access::ReadOnly),
        _ => Err(Refusal(StatusCode::UNAUTHORIZED, "WRONGPASS invalid or missing auth token".to_owned())),
    }
}

fn format(headers: &HeaderMap) -> Result<Format, Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_ascii_lowercase);
    let base64 = header("upstash-encoding").as_deref() == Some("base64");
    match header("upstash-response-format").as_deref() {
        Some("resp2") if base64 => {
            Err(Refusal::bad_request("ERR the resp2 format cannot be combined with base64 encoding"))
        }
        Some("resp2") => Ok(Format::Resp2),
        None | Some("json" | "") => Ok(if base64 { Format::Base64 } else { Format::Json }),
        Some(_) => Err(Refusal::bad_request("ERR unknown response format: expected json or resp2")),
    }
}

async fn read_body(state: &State, body: Body) -> Result<Bytes, Refusal> {
    let limit = state.max_request_bytes;
    let mut read = Vec::new();
    let mut length = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad_request("ERR the request body ended early"))?;
        length += chunk.len();
        if length <= limit {
            read.extend_from_slice(&chunk);
        } else if length > limit.saturating_mul(8) {
            break;
        }
        // A body of up to eight times the limit is read to its end and discarded: a client that is still sending might
        // not read the response.
    }
    if length <= limit {
        return Ok(read.into());
    }
    Err(Refusal::bad_request(format!(
        "ERR max request size exceeded. Limit: {limit} bytes, Actual: {length} bytes. \
         See https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details"
    )))
}

/// Returns the reply to a command that is not sent to Redis, or `None` if Redis is to run it.
fn intercept(state: &State, access: Access, args: &Args) -> Option<Slot> {
    match state.policy.judge(args, access == Access::Full) {
        Verdict::Ok => Some(Ok(Value::ok())),
        Verdict::Refuse(text) => Some(Err(text)),
        Verdict::Run => None,
    }
}

async fn single(state: &State, access: Access, format: Format, args: Args) -> Result<Response, Refusal> {
    let slot = match intercept(state, access, &args) {
        Some(slot) => slot,
        None => Ok(state.backend.run(&[args]).await?.pop().unwrap_or(Value::Nil)),
    };
    Ok(response::single(format, &slot))
}

async fn pipeline(state: &State, access: Access, format: Format, body: &Bytes) -> Result<Response, Refusal> {
    let commands = request::commands(body, "pipeline").map_err(Refusal::bad_request)?;
    let mut slots: Vec<Option<Slot>> = Vec::with_capacity(commands.len());
    let mut to_run = Vec::new();
    for command in commands {
        match command.map(|args| (intercept(state, access, &args), args)) {
            Err(text) => slots.push(Some(Err(text))),
            Ok((Some(slot), _)) => slots.push(Some(slot)),
            Ok((None, args)) => {
                slots.push(None);
                to_run.push(args);
            }
        }
    }
    let mut values = if to_run.is_empty() { Vec::new() } else { state.backend.run(&to_run).await? }.into_iter();
    let slots = slots.into_iter().map(move |slot| slot.unwrap_or_else(|| Ok(values.next().unwrap_or(Value::Nil))));
    Ok(response::several(format, slots))
}

async fn transaction(state: &State, access: Access, format: Format, body: &Bytes) -> Result<Response, Refusal> {
    let mut queue = vec![vec![Bytes::from_static(b"MULTI")]];
    for command in request::commands(body, "multi-exec").map_err(Refusal::bad_request)? {
        let args = command.map_err(Refusal::bad_request)?;
        match intercept(state, access, &args) {
            None => queue.push(args),
            // Only SELECT 0 is answered without Redis. It is queued so that its reply has its place in the result.
            Some(Ok(_)) => queue.push(vec![Bytes::from_static(b"SELECT"), Bytes::from_static(b"0")]),
            Some(Err(text)) => return Err(Refusal::bad_request(text)),
        }
    }
    queue.push(vec![Bytes::from_static(b"EXEC")]);
    let mut replies = state.backend.run(&queue).await?;
    let executed = replies.pop();
    if let Some(Value::Error(error)) = replies.iter().find(|value| matches!(value, Value::Error(_))) {
        return Err(Refusal::bad_request(String::from_utf8_lossy(error)));
    }
    match executed {
        Some(Value::Array(values)) => Ok(response::several(json_only(format), values.into_iter().map(Ok))),
        Some(Value::Error(error)) => Err(Refusal::bad_request(String::from_utf8_lossy(&error))),
        _ => Err(Refusal::bad_request("EXECABORT the transaction was discarded")),
    }
}

/// Replaces RESP2, which the API does not offer for transactions, by JSON.
fn json_only(format: Format) -> Format {
    if format == Format::Resp2 { Format::Json } else { format }
}
