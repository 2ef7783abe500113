//! Responses that are refusals: their status and body become an [`Error`].

use std::pin::pin;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use super::body::read_body;
use crate::error::{self, Error, ErrorKind, Result};
use crate::platform::timer::timeout;
use crate::platform::{self, Timer};
use crate::reply::{Reply, Shape};
use crate::transport::Response;
use crate::wire::{self, Encoding};

/// The most that is read of an error's body.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// The longest that an error's body is waited for.
const MAX_ERROR_TIME: Duration = Duration::from_secs(1);

/// Returns the error for a response whose status is an error. `limit` is the time for the whole attempt, `path` the endpoint
/// that was asked, and `sent` the length of the request's body.
pub(super) async fn read(
    response: Response,
    timer: &dyn Timer,
    limit: Duration,
    path: &str,
    sent: usize,
    encoding: Encoding,
) -> Error {
    // The status counts even if the body breaks off or never ends.
    let patience = (limit / 4).min(MAX_ERROR_TIME);
    let body = timeout(timer, patience, pin!(read_body(response.body, MAX_ERROR_BYTES))).await;
    let body = body.ok().and_then(Result::ok).unwrap_or_default();
    let message = error_text(body, encoding);
    match response.status {
        StatusCode::NOT_FOUND => missing_endpoint(path, message),
        status => status_error(status, &response.headers, message, sent),
    }
}

/// Whether a text refuses replies that are too large, whose commands were executed, and not a request of `sent` bytes. The
/// words for both are the same: `ERR max request size exceeded. Limit: 100 bytes, Actual: 120 bytes`.
fn refuses_replies(text: &str, sent: usize) -> bool {
    let limit = text.split_once("Limit: ").map_or("", |(_, limit)| limit);
    let digits = limit.split(|char: char| !char.is_ascii_digit()).next().unwrap_or_default();
    error::is_too_large(text) && digits.parse::<usize>().is_ok_and(|limit| sent <= limit)
}

/// The error for a server that implements a part of the API only, or for a URL that names another part of the server.
fn missing_endpoint(path: &str, message: Option<String>) -> Error {
    let without = match path {
        "/pipeline" => "it cannot run pipelines and batches",
        "/multi-exec" => "it cannot run transactions, atomic batches, and models' operations of several commands",
        "/subscribe" | "/psubscribe" => "it has no subscriptions",
        "/monitor" => "it cannot be monitored",
        _ => "check that the URL is that of a Redis REST API",
    };
    let detail = message.map(|text| format!(" ({})", Error::redis(&text).message())).unwrap_or_default();
    Error::new(ErrorKind::Rejected, format!("the server has no endpoint `{path}`{detail}: {without}"))
        .with_status(StatusCode::NOT_FOUND.as_u16())
}

/// The text of an error's body.
fn error_text(body: Vec<u8>, encoding: Encoding) -> Option<String> {
    let tape = wire::parse_error(body, encoding).ok()?;
    match Reply::root(&tape).shape() {
        Shape::Error(text) => Some(text.to_owned()),
        _ => None,
    }
}

/// The error for a response whose status is not a success.
fn status_error(status: StatusCode, headers: &HeaderMap, message: Option<String>, sent: usize) -> Error {
    let kind = match (status.as_u16(), &message) {
        // Without the status, as for all replies that are too large: the commands were executed.
        (400, Some(text)) if refuses_replies(text, sent) => return Error::redis(text),
        (400, Some(text)) if error::is_too_large(text) => ErrorKind::TooLarge,
        (400 | 405, Some(_)) => ErrorKind::Redis,
        (401 | 403, _) => ErrorKind::Unauthorized,
        (413, _) => ErrorKind::TooLarge,
        (429, _) => ErrorKind::RateLimited,
        (408 | 500.., _) => ErrorKind::Unavailable,
        _ => ErrorKind::Rejected,
    };
    let error = match (kind, message) {
        (_, Some(text)) => Error::of_redis(kind, &text),
        (ErrorKind::Unauthorized, None) => Error::new(kind, "the token is wrong or missing"),
        (ErrorKind::RateLimited, None) => Error::new(kind, "too many requests"),
        (ErrorKind::TooLarge, None) => Error::new(kind, "the request is too large for the service"),
        (ErrorKind::Rejected, None) => Error::new(
            kind,
            format!(
                "the server answered with status {status} and no readable reason; check that the URL is that of a Redis REST API"
            ),
        ),
        (_, None) => Error::new(kind, format!("the service answered with status {status}")),
    };
    error.with_status(status.as_u16()).with_retry_after(retry_after(headers))
}

/// `Retry-After`, in seconds or as a date. More seconds than can be counted are a wait too long for every deadline.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(platform::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_the_request_kept_is_that_of_the_replies() {
        let text = "ERR max request size exceeded. Limit: 100 bytes, Actual: 120 bytes";
        assert!(refuses_replies(text, 100) && !refuses_replies(text, 101));
        assert!(!refuses_replies("ERR max request size exceeded", 1) && !refuses_replies("ERR Limit: 100 bytes", 1));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let parse = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(parse("7"), Some(Duration::from_secs(7)));
        assert_eq!(parse("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
        let soon = httpdate::fmt_http_date(platform::now() + Duration::from_secs(30));
        assert!(parse(&soon).unwrap() > Duration::from_secs(20));
        assert_eq!(parse("18446744073709551616"), Some(Duration::from_secs(u64::MAX)));
        assert_eq!((parse("soon"), parse("-7"), parse("")), (None, None, None));
    }
}
