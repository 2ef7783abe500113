//! What both clients are made of: requests in, replies out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::auto_pipeline::{AutoPipeline, AutoPipelining};
use crate::command::{Command, Safety};
use crate::config::Encoding;
use crate::encoded::Encoded;
use crate::error::{Error, ErrorKind, Result};
use crate::reply::{Replies, Reply, Shape};
use crate::script::BySha1;
use crate::sync_token::SyncToken;
use crate::telemetry;
use crate::transport::retry::{Begun, Limits, RetryPolicy, status_error, with_retries};
use crate::transport::{Body, Endpoint, Request as HttpRequest, Response, Transport, TransportError};
use crate::wire::json::{self, Strings};
use crate::wire::tape::Tape;
use crate::wire::{self, resp2};

const ENCODING: HeaderName = HeaderName::from_static("upstash-encoding");
const FORMAT: HeaderName = HeaderName::from_static("upstash-response-format");
const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");

/// What all clones of a client share.
pub(crate) struct Core {
    transport: Arc<dyn Transport>,
    /// For commands and pipelines.
    headers: HeaderMap,
    /// For transactions, which are never answered in RESP2.
    transaction_headers: HeaderMap,
    encoding: Encoding,
    limits: Limits,
    sync: Option<SyncToken>,
    max_request_bytes: usize,
    max_response_bytes: usize,
    auto_pipeline: Option<AutoPipeline>,
}

/// How a client behaves, but for where its requests go.
pub(crate) struct Settings {
    pub(crate) encoding: Encoding,
    pub(crate) limits: Limits,
    pub(crate) read_your_writes: bool,
    pub(crate) max_request_bytes: usize,
    pub(crate) max_response_bytes: usize,
    pub(crate) auto_pipelining: Option<AutoPipelining>,
}

/// What one attempt sends and how its response is read.
struct Exchange<'a> {
    endpoint: Endpoint,
    headers: &'a HeaderMap,
    encoding: Encoding,
    body: Bytes,
    count: usize,
    is_write: bool,
    /// The script that the command names by its SHA-1.
    by_sha1: Option<Box<BySha1>>,
}

impl Core {
    pub(crate) fn new(transport: Arc<dyn Transport>, headers: &HeaderMap, settings: Settings) -> Self {
        let Settings { encoding, limits, read_your_writes, max_request_bytes, max_response_bytes, auto_pipelining } =
            settings;
        let with_encoding = |encoding| {
            let mut headers = headers.clone();
            match encoding {
                Encoding::Base64 => headers.insert(ENCODING, HeaderValue::from_static("base64")),
                Encoding::Json => None,
                Encoding::Resp2 => headers.insert(FORMAT, HeaderValue::from_static("resp2")),
            };
            headers
        };
        Core {
            transport,
            headers: with_encoding(encoding),
            transaction_headers: with_encoding(encoding.of_transactions()),
            encoding,
            limits,
            sync: read_your_writes.then(SyncToken::default),
            max_request_bytes,
            max_response_bytes,
            auto_pipeline: auto_pipelining.map(AutoPipeline::new),
        }
    }

    #[cfg(test)]
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What makes reads see writes, if it is on.
    pub(crate) fn sync_token(&self) -> Option<&SyncToken> {
        self.sync.as_ref()
    }

    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        &self.limits.policy
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.limits.deadline
    }

    pub(crate) fn auto_pipeline(&self) -> Option<&AutoPipeline> {
        self.auto_pipeline.as_ref()
    }

    pub(crate) fn max_response_bytes(&self) -> usize {
        self.max_response_bytes
    }

    /// Begins to read the server-sent events at `path`.
    pub(crate) async fn events(&self, path: String) -> Result<Body> {
        let mut headers = self.headers.clone();
        headers.remove(ENCODING);
        headers.remove(FORMAT);
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let request = HttpRequest { endpoint: Endpoint::Path(path), headers, body: Bytes::from_static(b"[]") };
        let sent = timeout(self.limits.timeout, self.transport.send(request)).await;
        let response = sent.map_err(|_| Error::timeout("no reply in time"))?.map_err(transport_error)?;
        let is_json =
            response.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if response.status.is_success() && !is_json {
            Ok(response.body)
        } else {
            Err(self.refusal(response, Encoding::Json).await)
        }
    }

    /// The error that a response is whose status is not a success.
    async fn refusal(&self, response: Response, encoding: Encoding) -> Error {
        // The status counts, whatever becomes of the body: also if that breaks off, or never ends.
        let patience = (self.limits.timeout / 4).min(MAX_ERROR_TIME);
        let body = timeout(patience, read(response.body, MAX_ERROR_BYTES)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        status_error(response.status, &response.headers, error_text(body, encoding))
    }

    pub(crate) async fn execute<R>(&self, command: Command<R>) -> Result<R> {
        let mut encoded = Encoded::new(false);
        let expect = encoded.push(command);
        let tape = self.run(encoded).await.map_err(|error| expect.blame(error))?;
        expect.decode(&mut Replies::of(&tape, expect.parts()))
    }

    /// Sends what is encoded and gives a tape with as many values as there are commands.
    pub(crate) async fn run(&self, encoded: Encoded) -> Result<Tape> {
        self.run_from(encoded, Begun::now(self.limits.deadline)).await
    }

    /// The same, where some attempts were made already.
    pub(crate) async fn run_from(&self, mut encoded: Encoded, begun: Begun) -> Result<Tape> {
        let writes = encoded.take_writes();
        let span = tracing::debug_span!("redis", command = %encoded.name, commands = encoded.count);
        let sending = self.send(encoded, begun);
        let outcome = if span.is_disabled() { sending.await } else { sending.instrument(span).await };
        outcome.map_err(|error| error.with_unconfirmed(writes))
    }

    async fn send(&self, encoded: Encoded, begun: Begun) -> Result<Tape> {
        let Encoded { args, safety, count, atomic, problem, .. } = encoded;
        if let Some(problem) = problem {
            return Err(problem);
        }
        let Some(mut args) = args else { return Ok(Tape::empty()) };
        let mut by_sha1 = None;
        let (endpoint, body) = if args.is_raw() {
            let (path, body) = args.into_raw()?;
            (Endpoint::Path(path), body)
        } else if atomic {
            (Endpoint::Transaction, args.into_json_batch())
        } else if count == 1 {
            by_sha1 = args.take_by_sha1();
            (Endpoint::Command, args.into_json())
        } else {
            (Endpoint::Pipeline, args.into_json_batch())
        };
        let (headers, encoding) = match endpoint {
            Endpoint::Transaction => (&self.transaction_headers, self.encoding.of_transactions()),
            _ => (&self.headers, self.encoding),
        };
        if body.len() > self.max_request_bytes {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the request has {} bytes, more than max_request_bytes, {}; nothing was sent",
                    body.len(),
                    self.max_request_bytes
                ),
            ));
        }
        let is_write = safety != Safety::Read;
        let exchange = Exchange { endpoint, headers, encoding, body, count, is_write, by_sha1 };
        let (mut tape, history) =
            with_retries(&self.limits, begun, safety, |number| self.attempt(&exchange, number)).await?;
        tape.history = history;
        Ok(tape)
    }

    async fn attempt(&self, exchange: &Exchange<'_>, number: u32) -> Result<Tape> {
        let outcome = self.exchange(exchange, exchange.body.clone(), number).await;
        match (&exchange.by_sha1, &outcome) {
            // It was not executed: nothing is repeated by sending it whole.
            (Some(by_sha1), outcome) if is_unknown_script(outcome) => {
                let whole = by_sha1.inline(&exchange.body);
                self.exchange(exchange, Bytes::from(whole), number).await
            }
            _ => outcome,
        }
    }

    async fn exchange(&self, exchange: &Exchange<'_>, body: Bytes, number: u32) -> Result<Tape> {
        let mut headers = exchange.headers.clone();
        if matches!(exchange.endpoint, Endpoint::Path(_)) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        }
        if number > 0 && headers.contains_key("upstash-telemetry-sdk") {
            headers.insert(telemetry::RETRY, HeaderValue::from(number));
        }
        let sent_token = self.sync.as_ref().and_then(SyncToken::current);
        if let Some(token) = &sent_token {
            headers.insert(SYNC_TOKEN, token.clone());
        }
        let request = HttpRequest { endpoint: exchange.endpoint.clone(), headers, body };
        let mut response = self.transport.send(request).await.map_err(transport_error)?;
        if let (Some(sync), Some(token)) = (&self.sync, response.headers.remove(SYNC_TOKEN)) {
            sync.observe(token, sent_token.as_ref(), exchange.is_write);
        }
        if !response.status.is_success() {
            return Err(self.refusal(response, exchange.encoding).await);
        }
        let body = read(response.body, self.max_response_bytes).await?;
        let many = matches!(exchange.endpoint, Endpoint::Pipeline | Endpoint::Transaction);
        let tape = wire::parse(body, exchange.encoding, exchange.count, many)
            .map_err(|error| error.with_status(response.status.as_u16()))?;
        match Replies::of(&tape, 1).next().map(Reply::shape) {
            // One error for all commands: none was executed.
            Some(Shape::Error(text)) if exchange.count > tape.nodes.len() => Err(Error::server(text)),
            _ => Ok(tape),
        }
    }
}

/// Whether the server does not know a script, in its own words: a script may have errors of its own that begin alike.
fn is_unknown_script(outcome: &Result<Tape>) -> bool {
    const UNKNOWN: &str = "NOSCRIPT No matching script";
    match outcome {
        Err(error) => error.kind() == ErrorKind::Server && error.message().starts_with(UNKNOWN),
        Ok(tape) => matches!(Reply::root(tape).shape(), Shape::Error(text) if text.starts_with(UNKNOWN)),
    }
}

/// How much of an error's body is read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// How long an error's body is waited for.
const MAX_ERROR_TIME: Duration = Duration::from_secs(1);

async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>> {
    // The announced size only saves reallocations: it may lie, so what it may reserve is bounded.
    let announced = usize::try_from(body.size_hint()).unwrap_or(usize::MAX).min(limit);
    let mut whole = Vec::with_capacity(announced.min(64 << 20));
    while let Some(chunk) = body.chunk().await {
        let chunk = chunk.map_err(transport_error)?;
        if whole.len() + chunk.len() > limit {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("the response is larger than max_response_bytes, {limit}"),
            ));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

pub(crate) fn transport_error(error: TransportError) -> Error {
    let (kind, message) = if error.not_sent {
        (ErrorKind::Connect, "no connection to the server")
    } else {
        (ErrorKind::Interrupted, "the connection broke before the whole reply was there")
    };
    Error::new(kind, message).with_source(error.source)
}

/// The text of an error reply, in whichever format it came: the service's own refusals are JSON also where RESP2
/// was asked for.
fn error_text(body: Vec<u8>, encoding: Encoding) -> Option<String> {
    let parsed = match (encoding, body.first()) {
        (Encoding::Resp2, Some(b'-')) => resp2::parse_one(body),
        _ => json::parse_one(body, Strings::Plain),
    };
    let tape = parsed.ok()?;
    match Replies::of(&tape, 1).next()?.shape() {
        Shape::Error(text) => Some(text.to_owned()),
        _ => None,
    }
}

impl fmt::Debug for Core {
    /// Without the headers, which hold the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("transport", &self.transport)
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}
