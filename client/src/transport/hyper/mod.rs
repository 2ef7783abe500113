//! The transport over hyper's HTTP/1.1 connections, with a pool of its own. reqwest uses the same connections. More than
//! half of a small request goes into what it does around them: it parses URLs again, clones its client and its connector,
//! copies large futures, and looks connections up by host.
//!
//! - [`stream`]: the bytes of a connection, plain or over TLS.
//! - [`connect`]: how a connection is made.
//! - [`exchange`]: one connection, and the body of a response that arrives on it.
//! - [`pool`]: the connections that wait for their next request.

mod connect;
mod exchange;
mod pool;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::HOST;
use http::{HeaderValue, Method, Uri};
use tokio::runtime::Handle;

use self::connect::{Connector, Security};
pub(super) use self::exchange::Chunks;
use self::exchange::Upload;
use self::pool::Pool;
use super::endpoints::Endpoints;
use super::{Body, Inner, Request, Response, Transport, TransportError};
use crate::error::{Error, ErrorKind, Result};

/// Sends requests by hyper, to one server.
pub(crate) struct HyperTransport {
    connector: Connector,
    pool: Arc<Pool>,
    host: HeaderValue,
    uris: Endpoints<Uri>,
}

impl HyperTransport {
    /// `base` has passed the checks of the builder and ends in a slash.
    pub(crate) fn new(base: &str, connect_timeout: Duration) -> Result<Self> {
        let server: Uri = base.parse().map_err(malformed)?;
        let security = Security::of(&server)?;
        HyperTransport::secured(server, connect_timeout, security)
    }

    fn secured(server: Uri, connect_timeout: Duration, security: Security) -> Result<Self> {
        // Requests name the path alone, and the server in a header.
        let parse = |endpoint: &str| format!("{}{endpoint}", server.path()).parse().map_err(malformed);
        Ok(HyperTransport {
            pool: Arc::default(),
            host: host(&server)?,
            uris: Endpoints::new(parse)?,
            connector: Connector::new(server, connect_timeout, security),
        })
    }
}

fn malformed(error: http::uri::InvalidUri) -> Error {
    Error::new(ErrorKind::Config, "the URL is malformed").with_source(error)
}

/// The name of the server, with its port if that is not the usual one.
fn host(server: &Uri) -> Result<HeaderValue> {
    let name = server.host().unwrap_or_default();
    let usual = if server.scheme_str() == Some("https") { 443 } else { 80 };
    let host = match server.port_u16() {
        Some(port) if port != usual => format!("{name}:{port}"),
        _ => name.to_owned(),
    };
    HeaderValue::try_from(host)
        .map_err(|error| Error::new(ErrorKind::Config, "the URL is malformed").with_source(error))
}

#[async_trait]
impl Transport for HyperTransport {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        let runtime = Handle::try_current().map_err(TransportError::not_sent)?;
        let mut prepared = http::Request::new(Upload::new(request.body));
        *prepared.method_mut() = Method::POST;
        *prepared.uri_mut() = self.uris.of(&request.endpoint, |uri| uri.parse().map_err(TransportError::not_sent))?;
        *prepared.headers_mut() = request.headers;
        prepared.headers_mut().insert(HOST, self.host.clone());
        loop {
            let waiting = self.pool.take(runtime.id());
            let is_new = waiting.is_none();
            let mut connection = match waiting {
                Some(connection) => connection,
                None => Box::new(self.connector.connect(&runtime).await?),
            };
            match connection.send(prepared).await {
                Ok(response) => {
                    let (head, incoming) = response.into_parts();
                    let chunks = Chunks::new(incoming, connection, Arc::clone(&self.pool));
                    return Ok(Response {
                        status: head.status,
                        headers: head.headers,
                        body: Body(Inner::Hyper(chunks)),
                    });
                }
                Err(mut error) => match error.take_message() {
                    // The connection closed while it waited in the pool. Nothing of the request was sent.
                    Some(unsent) if !is_new => prepared = unsent,
                    Some(_) => return Err(TransportError::not_sent(error.into_error())),
                    None => return Err(TransportError::interrupted(error.into_error())),
                },
            }
        }
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").field("host", &self.host).finish_non_exhaustive()
    }
}
