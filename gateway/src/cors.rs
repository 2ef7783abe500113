//! Cross-origin requests: the headers that let a web page of another origin use the API.
//!
//! The service documents its read-only token for web clients, so any origin is allowed. The API uses no cookies, so
//! credentials in the sense of CORS are not allowed.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;

/// Returns whether the request asks which cross-origin requests are allowed.
///
/// A browser sends such a request without a token, before a request that has an `Authorization` header or a JSON body.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Returns the response to a preflight request, without the headers that each response has.
pub(crate) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "HEAD, GET, POST, PUT"),
        // The asterisk does not include `Authorization`. It stands for any other header, such as the telemetry of an SDK.
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, Upstash-Encoding, Upstash-Response-Format, \
            Upstash-Sync-Token, *",
        ),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Adds the headers that each response has: errors too, or else a page could not read why its request failed.
pub(crate) fn allow(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Upstash-Sync-Token, Retry-After, Allow"));
}
