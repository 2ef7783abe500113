//! One request to the server: it is encoded, attempted, repeated if that is safe, and its response is parsed.
//!
//! [`execute`](Connection::execute) takes a command, [`request`](Connection::request) the commands of one request.
//! A request consists of attempts (`attempt`), and an attempt of one HTTP round trip (`round_trip`), or two if the server
//! does not know a script.

mod backoff;
mod body;
mod refusal;
mod retry;
mod sync_token;
pub(crate) mod telemetry;
pub(crate) mod trace;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::timeout;

use self::body::read_body;
pub(crate) use self::body::transport_error;
pub use self::retry::RetryPolicy;
pub(crate) use self::retry::{Limits, Patience, Progress};
pub(crate) use self::sync_token::SyncToken;
use crate::command::{self, Command, Encoded, Received};
use crate::error::{Error, ErrorKind, Result};
use crate::reply::{self, Answered, Replies, Reply, Shape};
use crate::transport::{Body, Endpoint, Request, Transport};
use crate::wire::Encoding;
use crate::wire::tape::Tape;

const ENCODING: HeaderName = HeaderName::from_static("upstash-encoding");
const FORMAT: HeaderName = HeaderName::from_static("upstash-response-format");
const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");

/// The minimum that each value counts against `max_response_bytes`.
const BYTES_PER_VALUE: usize = 16;

/// The number of values that are always allowed.
const MIN_VALUES: usize = 4096;

/// What all clones of a client share: the transport, and how to use it.
pub(crate) struct Connection {
    transport: Arc<dyn Transport>,
    /// For commands and pipelines.
    headers: HeaderMap,
    /// For transactions, which are never answered in RESP2.
    transaction_headers: HeaderMap,
    settings: Settings,
    sync_token: Option<SyncToken>,
}

/// How a connection behaves, whatever its transport is.
pub(crate) struct Settings {
    pub(crate) encoding: Encoding,
    pub(crate) limits: Limits,
    pub(crate) read_your_writes: bool,
    pub(crate) max_request_bytes: usize,
    pub(crate) max_response_bytes: usize,
    pub(crate) server: trace::Server,
    /// For the connections of subscriptions.
    pub(crate) idle_timeout: Option<Duration>,
}

/// What one attempt sends, and how its response is read.
struct Prepared<'a> {
    body: command::Body,
    headers: &'a HeaderMap,
    encoding: Encoding,
    /// The number of commands on the wire.
    count: usize,
    writes: bool,
}

impl Connection {
    pub(crate) fn new(transport: Arc<dyn Transport>, headers: &HeaderMap, settings: Settings) -> Self {
        let with_encoding = |encoding| {
            let mut headers = headers.clone();
            match encoding {
                Encoding::Base64 => headers.insert(ENCODING, HeaderValue::from_static("base64")),
                Encoding::Json => None,
                Encoding::Resp2 => headers.insert(FORMAT, HeaderValue::from_static("resp2")),
            };
            headers
        };
        Connection {
            transport,
            headers: with_encoding(settings.encoding),
            transaction_headers: with_encoding(settings.encoding.of_transactions()),
            sync_token: settings.read_your_writes.then(SyncToken::default),
            settings,
        }
    }

    #[cfg(test)]
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What makes reads see earlier writes, if that is on.
    pub(crate) fn sync_token(&self) -> Option<&SyncToken> {
        self.sync_token.as_ref()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    pub(crate) fn idle_timeout(&self) -> Option<Duration> {
        self.settings.idle_timeout
    }

    pub(crate) fn max_response_bytes(&self) -> usize {
        self.settings.max_response_bytes
    }

    /// Opens the stream of server-sent events at `path`.
    pub(crate) async fn open_events(&self, path: String) -> Result<Body> {
        let mut headers = self.headers.clone();
        headers.remove(ENCODING);
        headers.remove(FORMAT);
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        // Errors name the endpoint without the channels.
        let endpoint = format!("/{}", path.split('/').nth(1).unwrap_or_default());
        let request = Request { endpoint: Endpoint::Path(path), headers, body: Bytes::from_static(b"[]") };
        let sent = timeout(self.settings.limits.timeout, self.transport.send(request)).await;
        let response = sent.map_err(|_| Error::timeout("no reply in time"))?.map_err(transport_error)?;
        let is_json =
            response.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if response.status.is_success() && !is_json {
            Ok(response.body)
        } else {
            Err(refusal::read(response, &endpoint, 0, Encoding::Json, self.settings.limits.timeout).await)
        }
    }

    /// Executes one command.
    pub(crate) async fn execute<R>(&self, command: Command<R>, patience: Patience) -> Result<R> {
        let mut encoded = Encoded::new();
        let expect = encoded.push(command);
        let Received { tape, attempts } = self.request(encoded, patience).await.map_err(|error| expect.blame(error))?;
        expect.decode(&mut Replies::of(&tape, expect.parts()), attempts)
    }

    /// Sends the commands of one request. Returns as many replies as there are commands.
    pub(crate) async fn request(&self, encoded: Encoded, patience: Patience) -> Result<Received> {
        let progress = self.settings.limits.starting_now(patience, encoded.extra_time());
        self.continue_request(encoded, progress).await
    }

    /// Sends a request for which some attempts may have been made already.
    pub(crate) async fn continue_request(&self, mut encoded: Encoded, progress: Progress) -> Result<Received> {
        let writes = encoded.take_writes();
        let only = (encoded.count() == 1).then(|| encoded.name().clone());
        let (span, commands) = (trace::span(&encoded, &self.settings.server), encoded.count());
        // Pinned here: passed by value, it would be in the future of `within` several times over.
        let attempts = pin!(self.attempts(encoded, progress));
        let outcome = trace::within(span, commands, attempts).await;
        outcome.map_err(|error| match only {
            Some(name) => error.with_command(name),
            None => error.with_unconfirmed(writes),
        })
    }

    /// Makes attempts until one succeeds, or none may follow.
    async fn attempts(&self, encoded: Encoded, progress: Progress) -> Result<Received> {
        let (count, idempotency) = (encoded.count(), encoded.idempotency());
        let Some(body) = encoded.into_body()? else {
            return Ok(Received { tape: Tape::empty(), attempts: progress.attempts });
        };
        if body.bytes.len() > self.settings.max_request_bytes {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the request has {} bytes, more than max_request_bytes, {}; nothing was sent",
                    body.bytes.len(),
                    self.settings.max_request_bytes
                ),
            ));
        }
        let (headers, encoding) = match body.endpoint {
            Endpoint::Transaction => (&self.transaction_headers, self.settings.encoding.of_transactions()),
            _ => (&self.headers, self.settings.encoding),
        };
        let prepared = Prepared { body, headers, encoding, count, writes: idempotency.writes() };
        let (tape, attempts) = retry::until_final(&self.settings.limits.policy, progress, idempotency, |number| {
            self.attempt(&prepared, number)
        })
        .await?;
        Ok(Received { tape, attempts })
    }

    /// Makes one attempt. If the server does not know a script, it was not executed, and is sent in full.
    async fn attempt(&self, prepared: &Prepared<'_>, number: u32) -> Result<Tape> {
        let outcome = self.round_trip(prepared, prepared.body.bytes.clone(), number).await;
        match &prepared.body.by_sha1 {
            Some(by_sha1) if is_unknown_script(&outcome) => {
                let in_full = by_sha1.in_full(&prepared.body.bytes);
                self.round_trip(prepared, Bytes::from(in_full), number).await
            }
            _ => outcome,
        }
    }

    /// Sends one HTTP request and parses the response.
    async fn round_trip(&self, prepared: &Prepared<'_>, body: Bytes, number: u32) -> Result<Tape> {
        let mut headers = prepared.headers.clone();
        let endpoint = prepared.body.endpoint.clone();
        if matches!(endpoint, Endpoint::Path(_)) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        }
        if number > 0 && headers.contains_key(telemetry::SDK) {
            headers.insert(telemetry::RETRY, HeaderValue::from(number));
        }
        let sent_token = self.sync_token.as_ref().and_then(SyncToken::current);
        if let Some(token) = &sent_token {
            headers.insert(SYNC_TOKEN, token.clone());
        }
        let answered = match endpoint {
            Endpoint::Pipeline | Endpoint::Transaction => Answered::Commands(prepared.count),
            Endpoint::Command | Endpoint::Path(_) => Answered::Command,
        };
        let path = match &prepared.body.endpoint {
            // Errors name the endpoint. The arguments in a path may be secrets.
            Endpoint::Path(_) => "/",
            endpoint => endpoint.path(),
        };
        let sent = body.len();
        let request = Request { endpoint, headers, body };
        let mut response = self.transport.send(request).await.map_err(transport_error)?;
        if let (Some(sync), Some(token)) = (&self.sync_token, response.headers.remove(SYNC_TOKEN)) {
            sync.observe(token, sent_token.as_ref(), prepared.writes);
        }
        if !response.status.is_success() {
            return Err(refusal::read(response, path, sent, prepared.encoding, self.settings.limits.timeout).await);
        }
        let body = read_body(response.body, self.settings.max_response_bytes).await?;
        let max_values = self.settings.max_response_bytes / BYTES_PER_VALUE;
        reply::parse(body, prepared.encoding, answered, max_values.max(MIN_VALUES))
            .map_err(|error| error.with_status(response.status.as_u16()))
    }
}

/// Whether the server does not know a script, in the server's own words: a script may return errors that begin like it.
fn is_unknown_script(outcome: &Result<Tape>) -> bool {
    const UNKNOWN: &str = "NOSCRIPT No matching script";
    match outcome {
        Err(error) => error.kind() == ErrorKind::Redis && error.message().starts_with(UNKNOWN),
        Ok(tape) => matches!(Reply::root(tape).shape(), Shape::Error(text) if text.starts_with(UNKNOWN)),
    }
}

impl fmt::Debug for Connection {
    /// Omits the headers, which contain the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("transport", &self.transport)
            .field("encoding", &self.settings.encoding)
            .finish_non_exhaustive()
    }
}
