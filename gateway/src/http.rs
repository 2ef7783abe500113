//! The HTTP server: what a request must have, and its endpoints.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use tokio::net::TcpListener;

use crate::auth::Access;
use crate::budget::Share;
use crate::cors;
use crate::execute;
use crate::limits::Limits;
use crate::listener;
use crate::reply::Format;
use crate::request;
use crate::response::Refusal;
use crate::sse;
use crate::state::State;

const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");

/// Answers requests until the gateway stops.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, limits: Limits) {
    let stop = state.stop.clone();
    listener::serve(listener, limits, stop, move |request| answer(Arc::clone(&state), request)).await;
}

async fn answer(state: Arc<State>, request: Request) -> Response {
    let mut response = if cors::is_preflight(request.method(), request.headers()) {
        cors::preflight()
    } else {
        respond(&state, request).await.unwrap_or_else(Refusal::into_response)
    };
    cors::allow(response.headers_mut());
    // The gateway has no replicas to wait for, so it never reads a sync token. Each response only needs a new one.
    let count = state.responses.fetch_add(1, Ordering::Relaxed);
    if let Ok(token) = HeaderValue::try_from(format!("gateway:{count}")) {
        response.headers_mut().insert(SYNC_TOKEN, token);
    }
    response
}

async fn respond(state: &Arc<State>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (access, format) = match check(state, &parts) {
        Ok(checked) => checked,
        Err(refusal) => {
            // A client that is still sending might not read the response. One that waits for `100 Continue` is not.
            if !parts.headers.contains_key(EXPECT) {
                let _ = read_body(state, body, 0, &mut Share::unlimited()).await;
            }
            return Err(refusal);
        }
    };
    let query = parts.uri.query().unwrap_or_default();
    let path = parts.uri.path();
    let (endpoint, rest) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    match endpoint.to_ascii_lowercase().as_str() {
        "subscribe" => return sse::subscribe(state, &access, request::segments(rest), false).await,
        "psubscribe" => return sse::subscribe(state, &access, request::segments(rest), true).await,
        "monitor" => return sse::monitor(state, &access).await,
        _ => {}
    }
    let mut share = state.budget.share(matches!(access, Access::Full));
    let body = read_body(state, body, state.max_request_bytes, &mut share).await?;
    match endpoint {
        "pipeline" => execute::pipeline(state, &access, format, body, share).await,
        "multi-exec" => execute::transaction(state, &access, format, body, share).await,
        "" => {
            let args = request::command(&body).map_err(Refusal::bad_request)?;
            execute::single(state, &access, format, args, share).await
        }
        _ => execute::single(state, &access, format, request::path_command(path, query, &body), share).await,
    }
}

/// Checks all that is known before the body.
fn check(state: &State, parts: &Parts) -> Result<(Access, Format), Refusal> {
    if ![Method::HEAD, Method::GET, Method::POST, Method::PUT].contains(&parts.method) {
        return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "ERR method not allowed".to_owned()));
    }
    let access = state.tokens.authorize(&parts.headers, parts.uri.query().unwrap_or_default())?;
    listener::admit(&parts.extensions, matches!(access, Access::Full))?;
    Ok((access, format(&parts.headers)?))
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

/// Reads a body of up to `limit` bytes, which it takes from `share`.
async fn read_body(state: &State, body: Body, limit: usize, share: &mut Share) -> Result<Bytes, Refusal> {
    let patience = state.max_request_bytes.saturating_mul(8);
    let mut read = Vec::new();
    let mut length = 0;
    let mut fits = true;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad_request("ERR the request body ended early"))?;
        length += chunk.len();
        if length <= limit {
            fits = fits && share.take_body(chunk.len());
            if fits {
                read.extend_from_slice(&chunk);
            } else {
                read = Vec::new();
            }
        } else if length > patience {
            break;
        }
        // A body of up to eight times the largest request is read to its end and discarded: a client that is still
        // sending might not read the response.
    }
    if length <= limit && !fits {
        return Err(Refusal(
            StatusCode::TOO_MANY_REQUESTS,
            "ERR max concurrent connections exceeded: the open requests are too large together".to_owned(),
        ));
    }
    if length <= limit {
        return Ok(read.into());
    }
    Err(Refusal::bad_request(format!(
        "ERR max request size exceeded. Limit: {limit} bytes, Actual: {length} bytes. \
         See https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details"
    )))
}
