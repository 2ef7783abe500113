//! HTTP responses: replies in each format, event streams and refusals.

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::backend::Unreachable;
use crate::reply::{self, Format};
use crate::resp::Value;

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

/// Returns the response to a single command.
pub(crate) fn single(format: Format, slot: &Slot) -> Response {
    let status = if matches!(slot, Ok(Value::Error(_)) | Err(_)) { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    if format == Format::Resp2 {
        let mut wire = Vec::new();
        push_resp2_slot(&mut wire, slot);
        return resp2(status, wire);
    }
    let mut body = String::with_capacity(32);
    push_json_slot(&mut body, slot, format);
    json(status, body)
}

/// Returns the response to several commands.
pub(crate) fn several(format: Format, slots: impl Iterator<Item = Slot>) -> Response {
    if format == Format::Resp2 {
        let mut wire = Vec::new();
        for slot in slots {
            push_resp2_slot(&mut wire, &slot);
        }
        return resp2(StatusCode::OK, wire);
    }
    let mut body = String::from("[");
    for (at, slot) in slots.enumerate() {
        if at > 0 {
            body.push(',');
        }
        push_json_slot(&mut body, &slot, format);
    }
    body.push(']');
    json(StatusCode::OK, body)
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
    with_type(status, "application/json", Body::from(body))
}

fn resp2(status: StatusCode, body: Vec<u8>) -> Response {
    with_type(status, "application/octet-stream", Body::from(body))
}

fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
