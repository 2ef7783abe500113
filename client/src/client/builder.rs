//! The settings of a client: setters cannot fail, and one check at the end reports what is wrong.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::Redis;
#[cfg(not(target_family = "wasm"))]
use super::auto_pipeline::AutoPipelining;
use crate::connection::{Connection, Limits, RetryPolicy, Settings, telemetry, trace};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::{self, Timer};
#[cfg(all(feature = "hyper", not(target_family = "wasm")))]
use crate::transport::hyper::HyperTransport;
use crate::transport::{Transport, default};
use crate::wire::Encoding;

/// The settings of a client `C`. [`Redis::builder`](crate::Redis::builder) starts those of the async client,
/// [`blocking::Redis::builder`](crate::blocking::Redis::builder) those of the blocking one, and `build` makes it.
///
/// | setting | default |
/// | --- | --- |
/// | [`timeout`](Self::timeout) of one attempt | 10 s |
/// | [`deadline`](Self::deadline) of all attempts | 30 s |
/// | [`retry`](Self::retry) | [3 retries](RetryPolicy::default) of what cannot be executed twice |
/// | [`encoding`](Self::encoding) | [`Encoding::Base64`] |
/// | [`read_your_writes`](Self::read_your_writes) | on |
/// | [`telemetry`](Self::telemetry) | on, unless `UPSTASH_DISABLE_TELEMETRY` is set |
/// | [`max_request_bytes`](Self::max_request_bytes) | unlimited; the service has a limit of its own |
/// | [`max_response_bytes`](Self::max_response_bytes) | 128 MiB; 32 MiB in JavaScript |
/// | [`idle_timeout`](Self::idle_timeout) of subscriptions | learned from the server's heartbeats |
/// | [`auto_pipelining`](Self::auto_pipelining) | off |
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct RedisBuilder<C = Redis> {
    url: Option<String>,
    token: Option<String>,
    timeout: Duration,
    deadline: Duration,
    retry: RetryPolicy,
    encoding: Encoding,
    read_your_writes: bool,
    telemetry: bool,
    /// Whether a variable turns telemetry off.
    opted_out: bool,
    allow_insecure_http: bool,
    max_request_bytes: usize,
    max_response_bytes: usize,
    idle_timeout: Option<Duration>,
    #[cfg(not(target_family = "wasm"))]
    auto_pipelining: Option<AutoPipelining>,
    headers: Vec<(Cow<'static, str>, String)>,
    timer: Option<Arc<dyn Timer>>,
    transport: Option<Open>,
    wrappers: Vec<Wrapper>,
    /// The client that it builds.
    builds: PhantomData<fn() -> C>,
}

/// Returns a transport to a URL that opens a connection within some time.
type Open = Arc<dyn Fn(&str, Duration) -> Result<Arc<dyn Transport>> + Send + Sync>;

/// Wraps a transport in another.
type Wrapper = Arc<dyn Fn(Arc<dyn Transport>) -> Arc<dyn Transport> + Send + Sync>;

impl<C> RedisBuilder<C> {
    pub(crate) fn new(url: Option<String>, token: Option<String>) -> Self {
        RedisBuilder {
            url,
            token,
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            encoding: Encoding::default(),
            read_your_writes: true,
            telemetry: true,
            opted_out: false,
            allow_insecure_http: false,
            max_request_bytes: usize::MAX,
            max_response_bytes: platform::MAX_RESPONSE_BYTES,
            idle_timeout: None,
            #[cfg(not(target_family = "wasm"))]
            auto_pipelining: None,
            headers: Vec::new(),
            timer: None,
            transport: None,
            wrappers: Vec::new(),
            builds: PhantomData,
        }
    }

    /// Takes the URL and the token from variables: each from its `UPSTASH_REDIS_REST_` variable, or else from its
    /// `KV_REST_API_` variable.
    pub(crate) fn from_vars(mut variable: impl FnMut(&str) -> Option<String>) -> Self {
        let mut read = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut either = |name: &str, other: &str| read(name).or_else(|| read(other));
        let url = either("UPSTASH_REDIS_REST_URL", "KV_REST_API_URL");
        let token = either("UPSTASH_REDIS_REST_TOKEN", "KV_REST_API_TOKEN");
        RedisBuilder { opted_out: read(telemetry::OPT_OUT).is_some(), ..RedisBuilder::new(url, token) }
    }

    /// Sets how long one attempt may take, from connecting to the last byte of the reply.
    ///
    /// Connecting may take half of that, or half of the [deadline](Self::deadline) if that is shorter, and 5 seconds at most.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long all attempts at one request may take, including the waits between them.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets when a failed request is sent again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the format of replies.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Sets whether a read sees the earlier writes of this client, whichever replica answers it.
    pub fn read_your_writes(mut self, on: bool) -> Self {
        self.read_your_writes = on;
        self
    }

    /// Sets whether requests carry the names of this SDK, the runtime and the platform. Nothing else is sent. The
    /// environment variable `UPSTASH_DISABLE_TELEMETRY` turns it off too.
    pub fn telemetry(mut self, on: bool) -> Self {
        self.telemetry = on;
        self
    }

    /// Sets whether `http://` to another machine is allowed. The token and all data then cross the network unencrypted.
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.allow_insecure_http = allow;
        self
    }

    /// Sets the size of the largest request. A larger one fails as [`ErrorKind::TooLarge`] before anything is sent. The
    /// service has a limit of its own, 10 MB on its small plans, and refuses larger requests with the same kind of error.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Sets the size of the largest response that is read. A larger one fails as [`ErrorKind::TooLarge`].
    ///
    /// This also bounds the memory of a reply. Each of its values counts as 16 bytes at least, because a value of 2 bytes on
    /// the wire takes many times as much in memory: a response can have one value for each 16 bytes of this limit (and 4096
    /// in any case). While a response is decoded to [`Value`](crate::Value)s, the client takes up to 7 times this limit,
    /// however small its values are, and about 2 times if they are long. A type of your own can take more.
    ///
    /// The default has room for the service's largest record, 100 MB, in base64. In JavaScript it is 32 MiB, because a Worker
    /// has 128 MB of memory.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Sets how long the connection of a [`Subscription`](crate::subscribe::Subscription) or a
    /// [`Monitor`](crate::subscribe::Monitor) may be silent. A longer silence is a gap, and the connection is opened again.
    ///
    /// By default, the limit is learned on each connection. A server that sends heartbeats (comments between the events, as
    /// this project's gateway does) may be silent for four times as long as it was before, and for 30 seconds at least. A
    /// server that sends none may be silent forever, because its channels may just be quiet; whether the service sends
    /// heartbeats is *unverified*. TCP keepalive still detects that the other machine is gone.
    ///
    /// Set a limit if you know that messages or heartbeats come more often. [`Duration::MAX`] is no limit at all.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Turns auto-pipelining on: commands that tasks await at the same time share one request, a pipeline, in the order in
    /// which they are awaited. A command on its own is sent at once.
    ///
    /// - **Waits.** The client sends one request at a time, so a slow command such as `KEYS` delays the commands in its
    ///   request and after it by its own time. Redis itself runs one command at a time, so most of that wait is there in any
    ///   case: beside a `KEYS` over 300,000 keys, a `GET` took 45 times as long as usual without auto-pipelining and 38 times
    ///   with it (`cargo bench -p redis-model-tests --bench slow_command`).
    ///   [`separate_reads`](AutoPipelining::separate_reads) keeps reads from waiting for writes. Raw bytes, atomic groups and
    ///   commands that wait (`WAIT`) get requests of their own. Pipelines, transactions and batches are sent as without
    ///   auto-pipelining.
    /// - **Lost replies.** Reads are repeated, and so are idempotent writes after which no other write was sent that is not
    ///   idempotent. All other commands fail, and the error of each says whether it may have been executed.
    /// - **Runtimes.** It needs a tokio runtime. Each runtime has a queue of its own. It does not exist on `wasm32` targets: see
    ///   [Platforms](crate::guide::platforms).
    ///
    /// ```
    /// use redis_rest::{AutoPipelining, Redis};
    ///
    /// let redis = Redis::builder("https://example.upstash.io", "token")
    ///     .auto_pipelining(AutoPipelining::new().max_commands(200))
    ///     .build()?;
    /// # Ok::<(), redis_rest::Error>(())
    /// ```
    #[cfg(not(target_family = "wasm"))]
    pub fn auto_pipelining(mut self, limits: AutoPipelining) -> Self {
        self.auto_pipelining = Some(limits);
        self
    }

    /// Adds a header to every request.
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the HTTP client, with its TLS, proxy and pool settings.
    ///
    /// Turn off its redirects, which would carry the token to another host, and its retries, because it does not know which
    /// commands must not be sent twice. Subscriptions need TCP keepalive, which detects that the other end is gone, and no
    /// total timeout, which would end them.
    ///
    /// With the feature `tls-ring` instead of `tls`, reqwest has no default provider for TLS. Enable a TLS feature of reqwest
    /// for your client, or install a provider with `rustls::crypto::ring::default_provider().install_default()`.
    ///
    /// It does not exist on `wasm32` targets: see [Platforms](crate::guide::platforms).
    #[cfg(not(target_family = "wasm"))]
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.transport = Some(Arc::new(move |url, _| default::over(client.clone(), url)));
        self
    }

    /// Sends requests with hyper itself instead of reqwest, which is built on hyper. Needs the feature `hyper`.
    ///
    /// A `GET` then takes 46 % of the instructions (`cargo bench -p redis-model-tests --bench instructions`; without
    /// those of the kernel, and on a connection without TLS). Most of the time of a command remains that of the network,
    /// so this is for programs that are limited by their CPU, or pay for it. Two things are safer than with reqwest:
    ///
    /// - Before a connection is used again, the client asks the system whether the server has closed it. reqwest depends
    ///   on the runtime for that: if the runtime has not run since, the command fails as [`ErrorKind::Interrupted`].
    /// - Each tokio runtime has connections of its own, so that one client can serve several runtimes. With reqwest, a
    ///   command can get the connection of a runtime that does not run, and fails as [`ErrorKind::Timeout`].
    ///
    /// It supports HTTP/1.1 alone, even with the feature `http2`. It needs a tokio runtime with I/O and timers, whatever the
    /// [`timer`](Self::timer) of the client is. TLS, keepalive, timeouts, retries and errors are those of the default
    /// transport. A later [`http_client`](Self::http_client) or [`transport`](Self::transport) replaces it.
    ///
    /// ```
    /// # use redis_rest::Redis;
    /// let redis = Redis::builder("https://example.upstash.io", "token").hyper().build()?;
    /// # Ok::<(), redis_rest::Error>(())
    /// ```
    #[cfg(all(feature = "hyper", not(target_family = "wasm")))]
    pub fn hyper(mut self) -> Self {
        self.transport =
            Some(Arc::new(|url, connect_timeout| Ok(Arc::new(HyperTransport::new(url, connect_timeout)?))));
        self
    }

    /// Replaces the transport, which sends requests with reqwest by default, and in JavaScript by `fetch`.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        let transport: Arc<dyn Transport> = Arc::new(transport);
        self.transport = Some(Arc::new(move |_, _| Ok(Arc::clone(&transport))));
        self
    }

    /// Replaces the timer, which is that of tokio by default, and in JavaScript `setTimeout`. With a timer and a
    /// [transport](Self::transport) that need no tokio runtime, the client needs none.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// Wraps the transport in another, which can observe, delay or refuse requests. Call it several times to add several
    /// transports; the last is the outermost.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use redis_rest::Redis;
    /// use redis_rest::transport::{Request, Response, Transport, TransportError};
    ///
    /// #[derive(Debug)]
    /// struct Log(Arc<dyn Transport>);
    ///
    /// #[async_trait::async_trait]
    /// impl Transport for Log {
    ///     async fn send(&self, request: Request) -> Result<Response, TransportError> {
    ///         println!("{} {} bytes", request.endpoint.path(), request.body.len());
    ///         self.0.send(request).await
    ///     }
    /// }
    ///
    /// let redis = Redis::builder("https://example.upstash.io", "token").wrap_transport(Log).build()?;
    /// # Ok::<(), redis_rest::Error>(())
    /// ```
    pub fn wrap_transport<T: Transport>(
        mut self,
        wrap: impl Fn(Arc<dyn Transport>) -> T + Send + Sync + 'static,
    ) -> Self {
        self.wrappers.push(Arc::new(move |inner| Arc::new(wrap(inner))));
        self
    }

    /// Returns the limits of auto-pipelining, if that is on.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn auto_pipelining_limits(&self) -> Result<Option<AutoPipelining>> {
        if self.auto_pipelining.is_some_and(|limits| limits.max_commands == 0 || limits.max_bytes == 0) {
            return Err(config("a pipeline needs room for at least one command and one byte"));
        }
        Ok(self.auto_pipelining.map(|limits| limits.max_bytes(limits.max_bytes.min(self.max_request_bytes))))
    }

    /// Checks the settings, and returns the connection.
    pub(super) fn connection(self, variable: impl Fn(&str) -> Option<String>) -> Result<Connection> {
        if self.timeout.is_zero() || self.deadline.is_zero() || self.idle_timeout.is_some_and(|limit| limit.is_zero()) {
            return Err(config(
                "the timeout, the deadline and the idle timeout must be longer than zero; for no limit, use Duration::MAX",
            ));
        }
        let url = checked_url(self.url.as_deref(), self.allow_insecure_http)?;
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization(self.token.as_deref())?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let opted_out = self.opted_out || variable(telemetry::OPT_OUT).is_some_and(|value| !value.is_empty());
        if self.telemetry && !opted_out {
            telemetry::insert_headers(&mut headers, variable);
        }
        for (name, value) in &self.headers {
            let parsed = (HeaderName::try_from(name.as_ref()), HeaderValue::try_from(value.as_str()));
            let (Ok(name), Ok(mut value)) = parsed else {
                return Err(config(format!(
                    "the name or the value of the header `{}` is not allowed in HTTP",
                    name.escape_debug()
                )));
            };
            if name == AUTHORIZATION || name == CONTENT_TYPE || name.as_str().starts_with("upstash-") {
                return Err(config(format!("the client sets the header `{name}` itself; use the setting for it")));
            }
            // It may be a secret.
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        // Shorter than an attempt, so that a missing connection is noticed before the attempt ends.
        let connect_timeout = (self.timeout.min(self.deadline) / 2).min(Duration::from_secs(5));
        let transport = match self.transport {
            Some(open) => open(&url, connect_timeout)?,
            None => default::open(&url, connect_timeout)?,
        };
        let timer = self.timer.or_else(platform::default_timer);
        let timer =
            timer.ok_or_else(|| config("there are no timers on this platform: set one with `RedisBuilder::timer`"))?;
        let transport = self.wrappers.iter().fold(transport, |inner, wrap| wrap(inner));
        let limits = Limits { policy: self.retry, timeout: self.timeout, deadline: self.deadline };
        let settings = Settings {
            encoding: self.encoding,
            limits,
            timer,
            read_your_writes: self.read_your_writes,
            max_request_bytes: self.max_request_bytes,
            max_response_bytes: self.max_response_bytes,
            idle_timeout: self.idle_timeout,
            server: trace::Server::of(&url),
        };
        Ok(Connection::new(transport, &headers, settings))
    }
}

impl<C> fmt::Debug for RedisBuilder<C> {
    /// Omits the token and the values of headers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .field("retry", &self.retry)
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

fn config(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn authorization(token: Option<&str>) -> Result<HeaderValue> {
    let token = token.unwrap_or_default();
    if token.is_empty() {
        return Err(config(format!(
            "there is no token: set UPSTASH_REDIS_REST_TOKEN to the REST token that the console shows for the database{}",
            platform::WHERE_SET
        )));
    }
    if token.trim() != token {
        return Err(config("the token begins or ends with white space; remove it (a line end copied from a file?)"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(config("the token contains a line end, a space or another character that a header cannot carry"));
    }
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| config("the token contains a character that a header cannot carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns the URL with a slash at its end.
fn checked_url(url: Option<&str>, allow_insecure_http: bool) -> Result<String> {
    let url = url.unwrap_or_default();
    if url.is_empty() {
        return Err(config(format!(
            "there is no URL: set UPSTASH_REDIS_REST_URL to the REST URL that the console shows for the database, https://NAME.upstash.io{}",
            platform::WHERE_SET
        )));
    }
    if url.starts_with("redis://") || url.starts_with("rediss://") {
        return Err(config("the URL is for Redis's TCP protocol; use the REST URL, which begins with https://"));
    }
    if url.trim_matches(|char: char| char.is_whitespace() || matches!(char, '"' | '\'')) != url {
        return Err(config(
            "the URL begins or ends with white space or a quote; remove it (a line end copied from a file?)",
        ));
    }
    // Messages do not contain the URL, which could contain a password.
    let parsed: Uri =
        url.parse().map_err(|_| config("the URL is malformed: it must look like https://NAME.upstash.io"))?;
    let (Some(scheme), Some(authority)) = (parsed.scheme_str(), parsed.authority()) else {
        return Err(config("the URL is not complete: it must begin with https:// and name a host"));
    };
    if authority.as_str().contains('@') {
        return Err(config("the URL contains a user or a password; remove them, and pass the token separately"));
    }
    if parsed.query().is_some() || url.contains('#') {
        return Err(config("the URL has a query or a fragment; remove it, and pass the token separately"));
    }
    match scheme {
        "https" => {}
        "http" if allow_insecure_http || is_loopback(authority.host()) => {}
        "http" => {
            return Err(config(
                "http:// to another machine sends the token unencrypted; use https://, or opt in with allow_insecure_http(true)",
            ));
        }
        _ => return Err(config("the scheme of the URL is neither https nor http")),
    }
    Ok(format!("{}/", url.trim_end_matches('/')))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str, token: &str) -> String {
        let error = Redis::builder(url, token).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!error.to_string().contains("s3cret"), "{error}");
        error.to_string()
    }

    #[test]
    fn urls_that_cannot_work_are_refused_with_what_to_do() {
        let cases = [
            ("", "there is no URL"),
            ("redis://h:6379", "TCP protocol"),
            ("https://h\n", "white space or a quote"),
            ("\"https://h\"", "white space or a quote"),
            ("https://", "malformed"),
            ("example.com", "not complete"),
            ("https://user:s3cret@h", "password"),
            ("https://h?_token=s3cret", "query"),
            ("http://example.com", "allow_insecure_http"),
            ("ftp://h", "scheme"),
            ("https://h with space", "malformed"),
        ];
        for (url, expected) in cases {
            assert!(refusal(url, "t").contains(expected), "{url}: {}", refusal(url, "t"));
        }
    }

    #[test]
    fn tokens_that_a_header_cannot_carry_are_refused() {
        for (token, expected) in
            [("", "no token"), ("s3cret\n", "white space"), ("s3\ncret", "line end"), ("s3crét", "character")]
        {
            assert!(refusal("https://h", token).contains(expected), "{token:?}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for url in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1/", "https://example.com/base/"] {
            Redis::builder(url, "t").build().unwrap();
        }
    }

    #[test]
    fn the_environment_names_the_database() {
        let builder: RedisBuilder = RedisBuilder::from_vars(|name| match name {
            "KV_REST_API_URL" => Some("https://kv".into()),
            "KV_REST_API_TOKEN" => Some("kv-token".into()),
            _ => None,
        });
        assert_eq!((builder.url.as_deref(), builder.token.as_deref()), (Some("https://kv"), Some("kv-token")));
        let builder: RedisBuilder = RedisBuilder::from_vars(|name| match name {
            "UPSTASH_REDIS_REST_URL" => Some("https://upstash".into()),
            "KV_REST_API_URL" => Some("https://kv".into()),
            "KV_REST_API_TOKEN" => Some("kv-token".into()),
            _ => None,
        });
        assert_eq!((builder.url.as_deref(), builder.token.as_deref()), (Some("https://upstash"), Some("kv-token")));
        let error = RedisBuilder::<Redis>::from_vars(|_| None).build().unwrap_err();
        assert!(error.to_string().contains("UPSTASH_REDIS_REST_URL"));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let builder = || Redis::builder("https://h", "t");
        for (builder, expected) in [
            (builder().timeout(Duration::ZERO), "longer than zero"),
            (builder().header("authorization", "x"), "sets the header"),
            (builder().header("Upstash-Encoding", "base64"), "sets the header"),
            (builder().header("x y", "z"), "not allowed"),
        ] {
            let error = builder.build().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        builder().timeout(Duration::MAX).deadline(Duration::MAX).build().unwrap();
    }

    #[test]
    fn debug_shows_no_secret() {
        let builder = Redis::builder("https://h", "s3cret").header("x-key", "s3cret");
        assert!(!format!("{builder:?} {:?}", builder.clone().build().unwrap()).contains("s3cret"));
    }

    #[test]
    fn telemetry_has_two_opt_outs() {
        let sends = |on: bool, env: fn(&str) -> Option<String>| {
            let builder = Redis::builder("https://h", "t").telemetry(on);
            builder.connection(env).unwrap().headers().contains_key("upstash-telemetry-sdk")
        };
        assert!(sends(true, |_| None));
        assert!(!sends(false, |_| None));
        assert!(!sends(true, |name| (name == telemetry::OPT_OUT).then(|| "1".into())));
    }
}
