//! What a subscriber of `tracing` sees of requests: OpenTelemetry's fields, every retry and gap, and no argument.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use redis_model::redis_rest::subscribe::SubscriptionEvent;
use redis_model::redis_rest::{
    AutoPipelining, Encoding, HashCommands as _, Redis, Result, RetryPolicy, StringCommands as _,
};
use redis_model_tests::fault::{Answer, Canned, Cut, Faulty};
use redis_model_tests::{ENCODINGS, key, stack};
use tokio::time::timeout;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Event, Level, Metadata, Subscriber};

type Fields = BTreeMap<String, String>;

/// Keeps all spans and events of this crate.
#[derive(Debug, Clone, Default)]
struct Recorder {
    seen: Arc<Mutex<Seen>>,
    next: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Seen {
    spans: BTreeMap<u64, Fields>,
    events: Vec<(Level, Fields)>,
}

struct Write<'a>(&'a mut Fields);

impl Visit for Write<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_u64(&mut self, field: &Field, _: u64) {
        panic!(
            "tracing-opentelemetry exports {} as text, because OpenTelemetry has no unsigned integers",
            field.name()
        );
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("redis_rest")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        span.record(&mut Write(self.seen.lock().unwrap().spans.entry(id).or_default()));
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut Write(self.seen.lock().unwrap().spans.entry(span.into_u64()).or_default()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::new();
        event.record(&mut Write(&mut fields));
        self.seen.lock().unwrap().events.push((*event.metadata().level(), fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Recorder {
    /// Records what this thread does, until the guard is dropped.
    fn start() -> (Self, DefaultGuard) {
        let recorder = Recorder::default();
        let guard = set_default(recorder.clone());
        (recorder, guard)
    }

    /// The spans and events since the last call. No field of them may contain an argument.
    fn take(&self) -> (Vec<Fields>, Vec<(Level, Fields)>) {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        assert!(!format!("{seen:?}").contains("hunter2"), "{seen:?}");
        (seen.spans.into_values().collect(), seen.events)
    }

    fn only_span(&self) -> Fields {
        let (mut spans, events) = self.take();
        assert!(spans.len() == 1 && events.is_empty(), "{spans:?} {events:?}");
        spans.remove(0)
    }
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).map(String::as_str)
}

#[tokio::test]
async fn a_request_is_a_client_span() -> Result<()> {
    let k = &key("hunter2");
    let address = stack().gateway.url();
    let port = address.rsplit(':').next().unwrap().trim_end_matches('/');
    let (recorder, _guard) = Recorder::start();
    for encoding in ENCODINGS {
        let redis = &stack().builder().encoding(encoding).build()?;
        redis.set(k, "hunter2").await?;
        let span = recorder.only_span();
        for (name, value) in [
            ("otel.name", "SET"),
            ("otel.kind", "client"),
            ("db.system.name", "redis"),
            ("db.operation.name", "SET"),
            ("server.address", "127.0.0.1"),
            ("server.port", port),
            ("redis.attempts", "1"),
        ] {
            assert_eq!(field(&span, name), Some(value), "{name}");
        }
        assert!(field(&span, "redis.elapsed_ms").unwrap().parse::<f64>().unwrap() > 0.0);
        assert!(!span.contains_key("db.operation.batch.size") && !span.contains_key("error.type"), "{span:?}");

        assert!(redis.hget::<String>(k, "hunter2").await.is_err());
        let span = recorder.only_span();
        for (name, value) in [
            ("error.type", "WRONGTYPE"),
            ("db.response.status_code", "WRONGTYPE"),
            ("otel.status_code", "ERROR"),
            ("otel.status_description", "WRONGTYPE Operation against a key holding the wrong kind of value"),
            ("redis.attempts", "1"),
        ] {
            assert_eq!(field(&span, name), Some(value), "{name}");
        }

        let _ = redis.pipeline().get::<String>(k).hget::<String>(k, "hunter2").get::<String>(k).exec_each().await?;
        let span = recorder.only_span();
        assert_eq!(field(&span, "otel.name"), Some("PIPELINE"));
        assert_eq!(field(&span, "db.operation.batch.size"), Some("3"));
        assert_eq!(field(&span, "error.type"), Some("WRONGTYPE"));
        redis.transaction().get::<String>(k).get::<String>(k).exec().await?;
        let span = recorder.only_span();
        assert_eq!((field(&span, "db.operation.name"), field(&span, "error.type")), (Some("MULTI"), None));

        redis.batch().exec().await?;
        assert!(recorder.take().0.is_empty(), "no commands, no request, no span");
    }
    Ok(())
}

#[tokio::test]
async fn a_retry_is_a_warning_within_its_span() -> Result<()> {
    let (recorder, _guard) = Recorder::start();
    let fast = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1));
    let limited = Answer::ok(r#"{"error":"ERR max requests limit exceeded"}"#).status(StatusCode::TOO_MANY_REQUESTS);
    let canned = Canned::new([limited.clone(), Answer::ok(r#"{"result":1}"#), limited]);
    let builder = Redis::builder("https://example.upstash.io/path", "hunter2").encoding(Encoding::Json);
    let redis = builder.retry(fast).transport(canned).build()?;
    redis.incr("hunter2").await?;
    let (spans, events) = recorder.take();
    assert_eq!(field(&spans[0], "redis.attempts"), Some("2"));
    assert_eq!(field(&spans[0], "server.address"), Some("example.upstash.io"));
    assert_eq!((field(&spans[0], "server.port"), field(&spans[0], "error.type")), (Some("443"), None));
    let (level, event) = &events[0];
    assert_eq!((*level, events.len(), field(event, "attempts")), (Level::WARN, 1, Some("1")));
    assert_eq!(field(event, "error.type"), Some("RateLimited"));
    assert_eq!(field(event, "reason"), Some("ERR max requests limit exceeded"));
    assert!(event.contains_key("wait"));

    assert!(redis.incr("hunter2").await.is_err());
    let (spans, events) = recorder.take();
    assert_eq!((field(&spans[0], "redis.attempts"), events.len()), (Some("4"), 3));
    assert_eq!(field(&spans[0], "error.type"), Some("RateLimited"));
    assert_eq!(field(&spans[0], "http.response.status_code"), Some("429"));
    Ok(())
}

#[tokio::test]
async fn a_gap_is_a_warning() -> Result<()> {
    let (recorder, _guard) = Recorder::start();
    let fast = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1));
    let builder = stack().builder().retry(fast);
    // Before it begins, and after `data: psubscribe,hunter2*,1` and its empty line.
    let cuts = vec![Cut::Before, Cut::InReply(29)];
    let redis = builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::default())).build()?;
    let mut all = redis.psubscribe(["hunter2*"]);
    for _ in 0..2 {
        let event = timeout(Duration::from_secs(20), all.next()).await.unwrap().unwrap()?;
        assert!(matches!(event, SubscriptionEvent::Subscribed { .. } | SubscriptionEvent::Gap { .. }), "{event:?}");
    }
    let (spans, events) = recorder.take();
    let events: Vec<_> = events.iter().map(|(level, event)| (*level, field(event, "error.type").unwrap())).collect();
    assert_eq!(events, [(Level::WARN, "Connect"), (Level::WARN, "Interrupted")]);
    assert!(spans.is_empty());
    Ok(())
}

#[tokio::test]
async fn commands_that_share_a_request_share_its_span() -> Result<()> {
    let (recorder, _guard) = Recorder::start();
    let redis = stack().builder().auto_pipelining(AutoPipelining::new()).build()?;
    let (first, second) = (key("hunter2"), key("hunter2"));
    let (first, second) = (async { redis.incr(&first).await }, async { redis.incr(&second).await });
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first?, second?), (1, 1));
    let span = recorder.only_span();
    assert_eq!((field(&span, "otel.name"), field(&span, "db.operation.batch.size")), (Some("PIPELINE"), Some("2")));
    Ok(())
}
