//! The transport over reqwest: the only file that knows it.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Client, Method, Url};

use super::endpoints::Endpoints;
use super::socket::{IDLE_LIMIT, KEEPALIVE, KEEPALIVE_INTERVAL, KEEPALIVE_RETRIES};
use super::{Body, Inner, Request, Response, Transport, TransportError};
use crate::error::{Error, ErrorKind, Result};

/// What an interrupted request means.
pub(crate) const INTERRUPTED: &str = "the connection broke before the whole reply arrived";

/// Sends requests by a [`reqwest::Client`], to URLs that were parsed once.
struct ReqwestTransport {
    client: Client,
    urls: Endpoints<Url>,
}

impl ReqwestTransport {
    fn new(client: Client, base: &str) -> Result<Self> {
        let parse = |path: &str| {
            Url::parse(&format!("{base}{path}"))
                .map_err(|error| Error::new(ErrorKind::Config, "the URL is malformed").with_source(error))
        };
        Ok(ReqwestTransport { client, urls: Endpoints::new(parse)? })
    }
}

/// Returns a transport to `base`, which has passed the checks of the builder and ends in a slash.
pub(crate) fn open(base: &str, connect_timeout: Duration) -> Result<Arc<dyn Transport>> {
    if cfg!(not(any(feature = "tls", feature = "tls-ring"))) && base.starts_with("https") {
        return Err(Error::new(
            ErrorKind::Config,
            "https:// needs the feature `tls` (or `tls-ring`), or an HTTP client of your own that has TLS",
        ));
    }
    over(default_client(connect_timeout)?, base)
}

/// Returns a transport over a client of the user's.
pub(crate) fn over(client: Client, base: &str) -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(ReqwestTransport::new(client, base)?))
}

/// A client without redirects (they would carry the token to another host), without retries of its own (only this crate
/// knows which commands are idempotent), without proxy lookup and without compression.
fn default_client(connect_timeout: Duration) -> Result<Client> {
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(connect_timeout)
        .tcp_keepalive(KEEPALIVE)
        .tcp_keepalive_interval(KEEPALIVE_INTERVAL)
        .tcp_keepalive_retries(KEEPALIVE_RETRIES)
        .pool_idle_timeout(IDLE_LIMIT);
    tls(builder)?
        .build()
        .map_err(|error| Error::new(ErrorKind::Config, "the HTTP client cannot be built").with_source(error))
}

#[cfg(any(feature = "tls", feature = "tls-ring"))]
fn tls(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder> {
    Ok(builder.tls_backend_preconfigured(super::tls::config()?))
}

#[cfg(not(any(feature = "tls", feature = "tls-ring")))]
fn tls(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder> {
    Ok(builder)
}

/// The body of a response, as it arrives.
pub(super) struct Chunks(reqwest::Response);

impl Chunks {
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Bytes, TransportError>>> {
        // A future that is dropped halfway has taken nothing: the data remains in the response.
        let chunk = pin!(self.0.chunk()).poll(cx);
        chunk.map(|chunk| chunk.map_err(|error| TransportError::interrupted(error.without_url())).transpose())
    }

    /// The announced number of bytes; 0 if it is not known.
    pub(super) fn announced_bytes(&self) -> u64 {
        self.0.content_length().unwrap_or(0)
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        let parse = |url: &str| Url::parse(url).map_err(TransportError::not_sent);
        let url = self.urls.of(&request.endpoint, parse)?;
        let mut prepared = reqwest::Request::new(Method::POST, url);
        *prepared.headers_mut() = request.headers;
        *prepared.body_mut() = Some(request.body.into());
        let mut response = self.client.execute(prepared).await.map_err(|error| {
            let error = error.without_url();
            if error.is_connect() || error.is_builder() {
                TransportError::not_sent(error)
            } else {
                TransportError::interrupted(error)
            }
        })?;
        let headers = std::mem::take(response.headers_mut());
        Ok(Response { status: response.status(), headers, body: Body(Inner::Default(Chunks(response))) })
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").field("url", &self.urls.command.as_str()).finish_non_exhaustive()
    }
}
