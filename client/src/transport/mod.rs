//! How requests reach the server: the [`Transport`] trait, and its implementations over reqwest, hyper and `fetch`.

#[cfg(all(feature = "hyper", not(target_family = "wasm")))]
pub(crate) mod hyper;
#[cfg(not(target_family = "wasm"))]
mod socket;
#[cfg(all(any(feature = "tls", feature = "tls-ring"), not(target_family = "wasm")))]
mod tls;
// The transport of this platform.
#[cfg_attr(not(target_family = "wasm"), path = "reqwest.rs")]
#[cfg_attr(all(target_family = "wasm", target_os = "unknown"), path = "fetch.rs")]
#[cfg_attr(all(target_family = "wasm", not(target_os = "unknown")), path = "none.rs")]
pub(crate) mod default;
#[cfg(not(target_family = "wasm"))]
mod endpoints;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, StatusCode};

/// Sends one HTTP request and returns its response. Implement it to use another HTTP client, to inject faults in tests, or
/// to record requests.
///
/// A transport sends each request once. The client above it handles timeouts, retries and decoding.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` and returns when the head of the response has arrived.
    ///
    /// # Errors
    ///
    /// [`TransportError::not_sent`] only if no byte of the request can have reached the server: the client then sends the
    /// request again, whatever it contains. [`TransportError::interrupted`] in all other cases.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}

/// A `POST` request to an endpoint of the API.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The endpoint, relative to the database's URL.
    pub endpoint: Endpoint,
    /// All headers. The authorization is marked as sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl fmt::Debug for Request {
    /// Omits the body and a command's path, which contain keys and values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An endpoint of the REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/`: one command as a JSON array.
    Command,
    /// `/pipeline`: an array of commands.
    Pipeline,
    /// `/multi-exec`: an array of commands, executed atomically.
    Transaction,
    /// A percent-encoded command in the path, with a leading `/`. The body is its raw argument.
    Path(String),
}

impl Endpoint {
    /// Returns the path relative to the database's URL.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Endpoint::Command => "/",
            Endpoint::Pipeline => "/pipeline",
            Endpoint::Transaction => "/multi-exec",
            Endpoint::Path(path) => path,
        }
    }
}

/// A response whose body may still be arriving.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// The body of a response: whole, or in chunks as they arrive.
pub struct Body(Inner);

enum Inner {
    Whole(Bytes),
    Chunks(Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>),
    /// What the default transport returns, without a box.
    Default(default::Chunks),
    #[cfg(all(feature = "hyper", not(target_family = "wasm")))]
    Hyper(hyper::Chunks),
}

impl Body {
    /// Creates a body that has arrived.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Body(Inner::Whole(bytes.into()))
    }

    /// Creates a body that arrives in chunks.
    pub fn chunks(chunks: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        Body(Inner::Chunks(Box::pin(chunks)))
    }

    /// Returns the next chunk; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the body breaks off.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, TransportError>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportError>>> {
        match &mut self.0 {
            Inner::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Whole(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Inner::Chunks(chunks) => chunks.as_mut().poll_next(cx),
            Inner::Default(chunks) => chunks.poll_next(cx),
            #[cfg(all(feature = "hyper", not(target_family = "wasm")))]
            Inner::Hyper(chunks) => chunks.poll_next(cx),
        }
    }

    /// The announced number of bytes; 0 if it is not known.
    pub(crate) fn size_hint(&self) -> u64 {
        match &self.0 {
            Inner::Whole(bytes) => bytes.len() as u64,
            Inner::Chunks(_) => 0,
            Inner::Default(chunks) => chunks.announced_bytes(),
            #[cfg(all(feature = "hyper", not(target_family = "wasm")))]
            Inner::Hyper(chunks) => chunks.announced_bytes(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}

/// Why a transport returned no response.
#[derive(Debug)]
pub struct TransportError {
    pub(crate) not_sent: bool,
    pub(crate) source: Box<dyn std::error::Error + Send + Sync>,
}

impl TransportError {
    /// Creates the error for a request of which no byte can have reached the server: the name did not resolve, the
    /// connection was refused, the TLS handshake failed.
    pub fn not_sent(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        TransportError { not_sent: true, source: source.into() }
    }

    /// Creates the error for a request of which some bytes may have reached the server.
    pub fn interrupted(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        TransportError { not_sent: false, source: source.into() }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.not_sent { "the request was not sent" } else { "the connection broke" })
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}
