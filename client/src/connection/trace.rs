//! Output for `tracing`: a span for each request, by OpenTelemetry's conventions for databases, and an event for each
//! retry and each broken subscription. They contain the names of commands, never arguments.
//!
//! The crate's documentation lists the fields. Numbers are `i64`: OpenTelemetry has no unsigned integers, and the layer of
//! `tracing-opentelemetry` exports those as text.

use std::fmt;
use std::time::Duration;

use http::Uri;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::command::{Encoded, Received};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::Instant;
use crate::reply::{Replies, Shape};

/// The server, as spans name it.
#[derive(Debug, Default)]
pub(crate) struct Server {
    address: String,
    port: u16,
}

impl Server {
    pub(crate) fn of(url: &str) -> Self {
        let Ok(uri) = url.parse::<Uri>() else { return Server::default() };
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        Server { address: uri.host().unwrap_or_default().to_owned(), port }
    }
}

/// The span of a request. Nothing is computed for it unless it is recorded. If there are no commands, nothing is sent, and
/// there is no span.
pub(super) fn span(encoded: &Encoded, server: &Server) -> Span {
    if encoded.count() == 0 {
        return Span::none();
    }
    let name = Operation(encoded);
    tracing::info_span!(
        "redis",
        otel.name = %name,
        otel.kind = "client",
        db.system.name = "redis",
        db.operation.name = %name,
        db.operation.batch.size = i64::try_from(encoded.count()).ok().filter(|count| *count > 1),
        server.address = server.address.as_str(),
        server.port = i64::from(server.port),
        redis.attempts = Empty,
        redis.elapsed_ms = Empty,
        http.response.status_code = Empty,
        db.response.status_code = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty,
    )
}

/// The command's name, or `PIPELINE` or `MULTI`, the conventions' names for several commands.
struct Operation<'a>(&'a Encoded);

impl fmt::Display for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.0.is_atomic(), self.0.count()) {
            (true, _) => "MULTI",
            (false, 0 | 1) => self.0.name(),
            (false, _) => "PIPELINE",
        })
    }
}

/// Runs a request within its span, and records how it ends.
pub(super) async fn within(
    span: Span,
    commands: usize,
    request: impl Future<Output = Result<Received>>,
) -> Result<Received> {
    if span.is_disabled() {
        return request.await;
    }
    let began = Instant::now();
    let outcome = request.instrument(span.clone()).await;
    // Rounded to microseconds: a layer prints all digits.
    let micros = (began.elapsed().as_secs_f64() * 1e6).round();
    span.record("redis.elapsed_ms", micros / 1000.0);
    match &outcome {
        Ok(Received { tape, attempts }) => {
            span.record("redis.attempts", i64::from(attempts.count()));
            let refusal = Replies::of(tape, commands).find_map(|reply| match reply.shape() {
                Shape::Error(text) => Some(Error::redis(text)),
                _ => None,
            });
            if let Some(error) = refusal {
                record_error(&span, &error);
            }
        }
        Err(error) => {
            span.record("redis.attempts", i64::from(error.attempts()));
            record_error(&span, error);
        }
    }
    outcome
}

fn record_error(span: &Span, error: &Error) {
    span.record("error.type", tracing::field::display(Type(error)));
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", error.message());
    if let Some(code) = error.code() {
        span.record("db.response.status_code", code);
    }
    if let Some(status) = error.status() {
        span.record("http.response.status_code", i64::from(status));
    }
}

/// The code of Redis's error, or else the kind.
struct Type<'a>(&'a Error);

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.code() {
            Some(code) if self.0.kind() == ErrorKind::Redis => f.write_str(code),
            _ => write!(f, "{:?}", self.0.kind()),
        }
    }
}

/// Reports that a request is sent again.
pub(super) fn retry(error: &Error, attempts: u32, wait: Duration) {
    let attempts = i64::from(attempts);
    tracing::warn!("error.type" = %Type(error), reason = error.message(), attempts, ?wait, "a request is sent again");
}

/// Reports that a subscription connects again.
pub(crate) fn reconnect(command: &'static str, error: &Error, attempts: u32, wait: Duration, is_gap: bool) {
    tracing::warn!(
        db.operation.name = command,
        "error.type" = %Type(error),
        reason = error.message(),
        attempts = i64::from(attempts),
        ?wait,
        "{}",
        if is_gap { "a connection broke: messages may be lost until it is open again" } else { "no connection yet" },
    );
}
