//! How a connection is made: name lookup, TCP, TLS, HTTP/1.1.

use std::future::poll_fn;
use std::time::Duration;

use http::Uri;
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tower_service::Service as _;

use super::exchange::Connection;
use super::stream::{Socket, Stream};
use crate::error::{Error, Result};
use crate::transport::TransportError;
use crate::transport::socket::{KEEPALIVE, KEEPALIVE_INTERVAL, KEEPALIVE_RETRIES};

/// Opens connections to one server. It tries all addresses of the server's name.
pub(super) struct Connector {
    server: Uri,
    tcp: HttpConnector,
    timeout: Duration,
    security: Security,
}

/// Whether connections are encrypted.
pub(super) enum Security {
    Plain,
    #[cfg(any(feature = "tls", feature = "tls-ring"))]
    Tls(tokio_rustls::TlsConnector, rustls::pki_types::ServerName<'static>),
}

impl Security {
    /// What the scheme of `server` asks for.
    pub(super) fn of(server: &Uri) -> Result<Self> {
        if server.scheme_str() != Some("https") {
            return Ok(Security::Plain);
        }
        #[cfg(any(feature = "tls", feature = "tls-ring"))]
        return Security::tls(server, crate::transport::tls::config()?);
        #[cfg(not(any(feature = "tls", feature = "tls-ring")))]
        return Err(Error::new(crate::error::ErrorKind::Config, "https:// needs the feature `tls` (or `tls-ring`)"));
    }

    #[cfg(any(feature = "tls", feature = "tls-ring"))]
    pub(super) fn tls(server: &Uri, mut config: rustls::ClientConfig) -> Result<Self> {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let host = server.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = rustls::pki_types::ServerName::try_from(host.to_owned()).map_err(|error| {
            let message = "the URL names a host that cannot have a certificate";
            Error::new(crate::error::ErrorKind::Config, message).with_source(error)
        })?;
        Ok(Security::Tls(std::sync::Arc::new(config).into(), name))
    }
}

impl Connector {
    /// `timeout` limits all of it: the lookup of the name, all addresses, and TLS.
    pub(super) fn new(server: Uri, timeout: Duration, security: Security) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
        tcp.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
        // Divided among the addresses, so that one which does not answer leaves time for the next.
        tcp.set_connect_timeout(Some(timeout));
        Connector { server, tcp, timeout, security }
    }

    /// Opens a connection on the current runtime, `runtime`.
    pub(super) async fn connect(&self, runtime: &Handle) -> std::result::Result<Connection, TransportError> {
        timeout(self.timeout, self.open(runtime))
            .await
            .unwrap_or_else(|_| Err(TransportError::not_sent("the server does not accept a connection in time")))
    }

    async fn open(&self, runtime: &Handle) -> std::result::Result<Connection, TransportError> {
        let socket = Socket::new(self.tcp().await?);
        let stream = match &self.security {
            Security::Plain => Stream::Plain(socket.clone()),
            #[cfg(any(feature = "tls", feature = "tls-ring"))]
            Security::Tls(tls, name) => {
                let encrypted = tls.connect(name.clone(), socket.clone()).await;
                Stream::Tls(Box::new(encrypted.map_err(TransportError::not_sent)?))
            }
        };
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(TransportError::not_sent)?;
        Ok(Connection::new(runtime.clone(), socket, sender, driver))
    }

    async fn tcp(&self) -> std::result::Result<TcpStream, TransportError> {
        let mut tcp = self.tcp.clone();
        poll_fn(|cx| tcp.poll_ready(cx)).await.map_err(TransportError::not_sent)?;
        let stream = tcp.call(self.server.clone()).await.map_err(TransportError::not_sent)?;
        Ok(stream.into_inner())
    }
}
