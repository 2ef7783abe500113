//! HTTP responses: replies in each format, event streams and refusals.

use axum::body::{Body, Bytes};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt as _};
use tokio::task::JoinError;

use crate::backend::Unreachable;
use crate::budget::Share;
use crate::reply::{self, Format};
use crate::resp::Value;

const JSON: &str = "application/json";
const RESP2: &str = "application/octet-stream";

/// An error that answers the whole request.
pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) String);

impl Refusal {
    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Refusal(StatusCode::BAD_REQUEST, text.into())
    }
}

impl From<Unreachable> for Refusal {
    fn from(error: Unreachable) -> Self {
        match error {
            Unreachable::UserRejected => Refusal(
                StatusCode::UNAUTHORIZED,
                "WRONGPASS invalid username-password pair or user is disabled".to_owned(),
            ),
            _ => Refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal(status, text) = self;
        let mut response = json(status, reply::error(&text));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("HEAD, GET, POST, PUT"));
        }
        response
    }
}

/// The reply to one command: the value from Redis, or the text of an error from the gateway.
pub(crate) type Slot = Result<Value, String>;

/// The last bytes of a response. As long as they exist, the replies in it count as held.
struct Held {
    bytes: Vec<u8>,
    _share: Option<Share>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn held(bytes: Vec<u8>, share: Option<Share>) -> Bytes {
    Bytes::from_owner(Held { bytes, _share: share })
}

/// Returns the response to a single command.
pub(crate) async fn single(format: Format, slot: Slot, share: Share) -> Response {
    let written = aside(share.held() > WHOLE, move || whole(format, &slot, share)).await;
    written.unwrap_or_else(|_| {
        // The runtime shuts down, and then nobody gets the response.
        Refusal(StatusCode::SERVICE_UNAVAILABLE, "ERR the gateway shuts down".to_owned()).into_response()
    })
}

/// Does work on another thread if it is large. On this one, it would block the requests of others.
async fn aside<T: Send + 'static>(is_large: bool, work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    if is_large { tokio::task::spawn_blocking(work).await } else { Ok(work()) }
}

fn whole(format: Format, slot: &Slot, share: Share) -> Response {
    let status = if matches!(slot, Ok(Value::Error(_)) | Err(_)) { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    if format == Format::Resp2 {
        let mut wire = Vec::new();
        push_resp2_slot(&mut wire, slot);
        return with_type(status, RESP2, held(wire, Some(share)).into());
    }
    let mut body = String::with_capacity(32);
    push_json_slot(&mut body, slot, format);
    with_type(status, JSON, held(body.into_bytes(), Some(share)).into())
}

/// The size above which a response is written while the client reads it. A smaller one is sent with its length.
const WHOLE: usize = 1 << 20;

/// Returns the response to several commands.
///
/// The text of a large response is not kept: each reply is written when the client has read those before it.
pub(crate) async fn several(
    format: Format,
    slots: impl Iterator<Item = Slot> + Send + 'static,
    share: Share,
) -> Response {
    let is_large = share.held() > WHOLE;
    let mut replies = Replies { slots: slots.fuse(), format, share: Some(share), written: 0, is_complete: false };
    let first = aside(is_large, move || (replies.next_chunk(WHOLE), replies)).await;
    let body = match first {
        Ok((first, replies)) if replies.is_complete => Body::from(first),
        Ok((first, replies)) => {
            let rest = stream::try_unfold(replies, move |mut replies| async move {
                if replies.is_complete {
                    return Ok(None);
                }
                aside(is_large, move || Some((replies.next_chunk(WHOLE / 16), replies))).await
            });
            Body::from_stream(stream::iter([Ok(first)]).chain(rest))
        }
        // The runtime shuts down, which cuts the response.
        Err(error) => Body::from_stream(stream::iter([Err::<Bytes, _>(error)])),
    };
    let content_type = if format == Format::Resp2 { RESP2 } else { JSON };
    with_type(StatusCode::OK, content_type, body)
}

/// Replies to several commands that are written in chunks.
struct Replies<I> {
    slots: I,
    format: Format,
    /// Taken by the last chunk.
    share: Option<Share>,
    written: usize,
    is_complete: bool,
}

impl<I: Iterator<Item = Slot>> Replies<I> {
    /// Returns the next replies: about `size` bytes of them, or one that is larger.
    fn next_chunk(&mut self, size: usize) -> Bytes {
        let mut wire = Vec::new();
        let mut json = String::new();
        while wire.len() + json.len() < size {
            let Some(slot) = self.slots.next() else {
                self.is_complete = true;
                break;
            };
            if self.format == Format::Resp2 {
                push_resp2_slot(&mut wire, &slot);
            } else {
                json.push(if self.written == 0 { '[' } else { ',' });
                push_json_slot(&mut json, &slot, self.format);
            }
            self.written += 1;
        }
        if self.format == Format::Resp2 {
            return self.held(wire);
        }
        if self.is_complete {
            json.push_str(if self.written == 0 { "[]" } else { "]" });
        }
        self.held(json.into_bytes())
    }

    fn held(&mut self, chunk: Vec<u8>) -> Bytes {
        held(chunk, if self.is_complete { self.share.take() } else { None })
    }
}

/// Returns a response that carries server-sent events.
pub(crate) fn event_stream(events: Body) -> Response {
    let mut response = with_type(StatusCode::OK, "text/event-stream", events);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn push_resp2_slot(wire: &mut Vec<u8>, slot: &Slot) {
    match slot {
        Ok(value) => reply::push_resp2(wire, value),
        Err(text) => reply::push_resp2_error(wire, text),
    }
}

fn push_json_slot(body: &mut String, slot: &Slot, format: Format) {
    match slot {
        Ok(value) => reply::push_envelope(body, value, format),
        Err(text) => reply::push_error(body, text),
    }
}

fn json(status: StatusCode, body: String) -> Response {
    with_type(status, JSON, Body::from(body))
}

fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
