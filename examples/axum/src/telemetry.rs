//! Traces: a span for each HTTP request, and below it a span for each request to Redis, which the client creates.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument as _, info_span};
use tracing_subscriber::prelude::*;

/// Exports each span to stdout when it ends.
///
/// A real service exports to a collector, with the exporter of `opentelemetry-otlp`. Use `with_batch_exporter` then, so
/// that no request waits for the collector.
pub(crate) fn install() -> SdkTracerProvider {
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name("axum-app").build())
        .with_simple_exporter(opentelemetry_stdout::SpanExporter::default())
        .build();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("axum-app"))
        .with_location(false)
        .with_threads(false)
        .with_target(false);
    tracing_subscriber::registry().with(spans.with_filter(LevelFilter::INFO)).init();
    provider
}

/// Handles a request in a span, whose fields are those of OpenTelemetry's conventions for HTTP servers.
pub(crate) async fn request_span(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    // The route (`/users/{id}`), not the path: there should be few different names of spans.
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = info_span!(
        "request",
        otel.name = format!("{method} {route}").trim_end(),
        otel.kind = "server",
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
        otel.status_code = Empty,
    );
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", i64::from(response.status().as_u16()));
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}
