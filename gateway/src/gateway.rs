//! A gateway that listens, and its settings.

use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::backend::Backend;
use crate::error::Error;
use crate::http;
use crate::policy::Policy;
use crate::secret::random_secret;
use crate::state::State;

/// A listening gateway. It stops when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    token: String,
    read_only_token: String,
    /// Dropped with it, which stops what runs.
    _stop: watch::Sender<()>,
}

/// Settings of a gateway; see [`Gateway::over`].
#[derive(Clone)]
#[must_use = "a gateway listens once it is started"]
pub struct GatewayBuilder {
    redis_url: String,
    listen: SocketAddr,
    token: Option<String>,
    read_only_token: Option<String>,
    max_request_bytes: usize,
}

impl Gateway {
    /// A gateway over the Redis at `redis_url`: `redis://[:password@]host[:port]` or `unix:///path`.
    pub fn over(redis_url: impl Into<String>) -> GatewayBuilder {
        GatewayBuilder {
            redis_url: redis_url.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: None,
            read_only_token: None,
            max_request_bytes: 10 << 20,
        }
    }

    /// The URL to give to a client.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token that allows everything.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The token that allows reading alone.
    #[must_use]
    pub fn read_only_token(&self) -> &str {
        &self.read_only_token
    }
}

impl GatewayBuilder {
    /// Where to listen; a free port of the loopback address by default.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The token that allows everything; a random one by default.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The token that allows reading alone; a random one by default.
    pub fn read_only_token(mut self, token: impl Into<String>) -> Self {
        self.read_only_token = Some(token.into());
        self
    }

    /// The largest request, 10 MiB by default, as on the service's small plans.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Connects to Redis and listens, in a task of the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When a token is empty or both are the same, Redis cannot be reached, or the address not be listened on.
    pub async fn start(self) -> Result<Gateway, Error> {
        let token = self.token.unwrap_or_else(random_secret);
        let read_only_token = self.read_only_token.unwrap_or_else(random_secret);
        if token.is_empty() || read_only_token.is_empty() || token == read_only_token {
            return Err(Error::new("the two tokens must differ, and neither may be empty"));
        }
        let backend = Backend::connect(&self.redis_url).await?;
        let policy = Policy::learn(&backend).await?;
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|error| Error::caused(format!("cannot listen on {}", self.listen), error))?;
        let address =
            listener.local_addr().map_err(|error| Error::caused("the listening address is unknown", error))?;
        let (stop, stopped) = watch::channel(());
        let state = State {
            backend,
            policy,
            token: token.clone(),
            read_only_token: read_only_token.clone(),
            max_request_bytes: self.max_request_bytes,
            responses: AtomicU64::new(0),
            stopped,
        };
        tokio::spawn(http::serve(listener, state));
        Ok(Gateway { address, token, read_only_token, _stop: stop })
    }
}

impl std::fmt::Debug for GatewayBuilder {
    /// Without the tokens and the URL, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayBuilder").field("listen", &self.listen).finish_non_exhaustive()
    }
}
