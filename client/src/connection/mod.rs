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

use self::body::read_body;
pub(crate) use self::body::transport_error;
pub use self::retry::RetryPolicy;
pub(crate) use self::retry::{Limits, Patience, Progress};
pub(crate) use self::sync_token::SyncToken;
use crate::command::{self, Command, Dialect, Encoded, Learned, Received, Scripted};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::Timer;
use crate::platform::timer::timeout;
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
    learned: Learned,
}

/// How a connection behaves, whatever its transport is.
pub(crate) struct Settings {
    pub(crate) encoding: Encoding,
    pub(crate) limits: Limits,
    pub(crate) timer: Arc<dyn Timer>,
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
            learned: Learned::default(),
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

    pub(crate) fn timer(&self) -> &dyn Timer {
        &*self.settings.timer
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
        let limit = self.settings.limits.timeout;
        let sent = timeout(self.timer(), limit, pin!(self.transport.send(request))).await;
        let response = sent.map_err(|_| Error::timeout("no reply in time"))?.map_err(transport_error)?;
        let is_json =
            response.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if response.status.is_success() && !is_json {
            Ok(response.body)
        } else {
            Err(refusal::read(response, self.timer(), limit, &endpoint, 0, Encoding::Json).await)
        }
    }

    /// Gives a command on its own its nonce, if it takes one and may be repeated. All attempts have the same.
    pub(crate) fn prepare<R>(&self, command: &mut Command<R>, patience: Patience) {
        if command.takes_nonce()
            && let Some(memory) = self.memory(patience, command.extra_time())
        {
            command.fill_once(memory);
        }
    }

    /// Returns how long the outcome of a script is kept, if the policy has retries.
    pub(crate) fn memory(&self, patience: Patience, extra: Duration) -> Option<Duration> {
        (self.limits().policy.max_retries() > 0).then(|| self.limits().memory(patience, extra))
    }

    /// Executes one command.
    pub(crate) async fn execute<R>(&self, mut command: Command<R>, patience: Patience) -> Result<R> {
        self.prepare(&mut command, patience);
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
        let Some(body) = encoded.into_body(&self.learned)? else {
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
        let (tape, attempts) =
            retry::until_final(&self.settings.limits.policy, self.timer(), progress, idempotency, |number| {
                self.attempt(&prepared, number)
            })
            .await?;
        Ok(Received { tape, attempts })
    }

    /// Makes one attempt: one round trip, or more if the server does not know the form in which the command is sent.
    async fn attempt(&self, prepared: &Prepared<'_>, number: u32) -> Result<Tape> {
        let body = &prepared.body;
        match &body.form {
            None => self.round_trip(prepared, &body.endpoint, body.bytes.clone(), number).await,
            // Few commands are scripts: the future of all others is smaller without them.
            Some(script) => Box::pin(self.attempt_script(prepared, &body.bytes, script, number)).await,
        }
    }

    /// Sends a script by its SHA-1, and in full if the server does not know it, in a dialect that the server understands.
    async fn attempt_script(
        &self,
        prepared: &Prepared<'_>,
        json: &[u8],
        script: &Scripted,
        number: u32,
    ) -> Result<Tape> {
        let send = async |dialect, in_full| {
            let mut body = Vec::new();
            script.render(json, dialect, in_full, &mut body);
            self.round_trip(prepared, &Endpoint::Command, Bytes::from(body), number).await
        };
        let may_lock = script.can_lock_keys() && self.learned.dialect() != Some(Dialect::Plain);
        let dialect = if may_lock { Dialect::Locking } else { Dialect::Plain };
        let mut outcome = send(dialect, false).await;
        if is_unknown_script(&outcome) {
            outcome = send(dialect, true).await;
        }
        let may_refuse = may_lock && self.learned.dialect() != Some(Dialect::Locking);
        if may_refuse && (refuses_flag(&outcome) || does_not_compile(&outcome)) {
            let plain = send(Dialect::Plain, true).await;
            // A script that does not compile at all says nothing about the first line.
            if refuses_flag(&outcome) || has_executed(&plain) {
                self.learned.set_dialect(Dialect::Plain);
            }
            return plain;
        }
        if may_lock && is_out_of_memory(&outcome) {
            // Behind a gateway, a server may have the first line without the flag. A full one then refuses every script, also
            // one that only deletes, before it runs.
            return send(Dialect::Plain, true).await;
        }
        if may_lock && has_executed(&outcome) {
            self.learned.set_dialect(Dialect::Locking);
        }
        outcome
    }

    /// Sends one HTTP request and parses the response.
    async fn round_trip(&self, prepared: &Prepared<'_>, endpoint: &Endpoint, body: Bytes, number: u32) -> Result<Tape> {
        let mut headers = prepared.headers.clone();
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
        let path = match endpoint {
            // Errors name the endpoint. The arguments in a path may be secrets.
            Endpoint::Path(_) => "/",
            endpoint => endpoint.path(),
        };
        let sent = body.len();
        let request = Request { endpoint: endpoint.clone(), headers, body };
        let mut response = self.transport.send(request).await.map_err(transport_error)?;
        if let (Some(sync), Some(token)) = (&self.sync_token, response.headers.remove(SYNC_TOKEN)) {
            sync.observe(token, sent_token.as_ref(), prepared.writes);
        }
        if !response.status.is_success() {
            let limit = self.settings.limits.timeout;
            return Err(refusal::read(response, self.timer(), limit, path, sent, prepared.encoding).await);
        }
        let body = read_body(response.body, self.settings.max_response_bytes).await?;
        let max_values = self.settings.max_response_bytes / BYTES_PER_VALUE;
        reply::parse(body, prepared.encoding, answered, max_values.max(MIN_VALUES))
            .map_err(|error| error.with_status(response.status.as_u16()))
    }
}

/// Whether the server does not know a script, in the server's own words: a script may return errors that begin like it.
fn is_unknown_script(outcome: &Result<Tape>) -> bool {
    refuses(outcome, &["NOSCRIPT No matching script"])
}

/// Whether the server refuses the first line of a script in the locking dialect. Nothing was executed.
fn refuses_flag(outcome: &Result<Tape>) -> bool {
    refuses(outcome, &["ERR Unexpected flag in script shebang"])
}

/// Whether the server cannot compile a script, perhaps because it takes the first line for Lua. Nothing was executed.
fn does_not_compile(outcome: &Result<Tape>) -> bool {
    refuses(outcome, &["ERR Error compiling script"])
}

/// Whether a command was executed without an error.
fn has_executed(outcome: &Result<Tape>) -> bool {
    outcome.as_ref().is_ok_and(|tape| !matches!(Reply::root(tape).shape(), Shape::Error(_)))
}

/// Whether the server refuses a script because it is full. A script that has written something is not refused any more.
fn is_out_of_memory(outcome: &Result<Tape>) -> bool {
    refuses(outcome, &["OOM command not allowed"])
}

/// Whether the outcome is an error that begins with one of these texts.
fn refuses(outcome: &Result<Tape>, texts: &[&str]) -> bool {
    let begins = |message: &str| texts.iter().any(|text| message.starts_with(text));
    match outcome {
        Err(error) => error.kind() == ErrorKind::Redis && begins(error.message()),
        Ok(tape) => matches!(Reply::root(tape).shape(), Shape::Error(text) if begins(text)),
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
