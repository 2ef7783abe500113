//! A running gateway and its settings.

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

/// A running gateway. It stops when it is dropped.
///
/// ```no_run
/// use redis_rest_gateway::Gateway;
///
/// # async fn example() -> Result<(), redis_rest_gateway::Error> {
/// let gateway = Gateway::over("redis://127.0.0.1:6379").start().await?;
/// println!("UPSTASH_REDIS_REST_URL={}", gateway.url());
/// println!("UPSTASH_REDIS_REST_TOKEN={}", gateway.token());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    token: String,
    read_only_token: String,
    /// Dropping the sender stops the gateway's tasks.
    _stop: watch::Sender<()>,
}

/// The settings of a [`Gateway`]; created by [`Gateway::over`].
///
/// ```no_run
/// use redis_rest_gateway::Gateway;
///
/// # async fn example() -> Result<(), redis_rest_gateway::Error> {
/// // A fixed address and fixed tokens, so that clients keep their settings between runs.
/// let gateway = Gateway::over("redis://127.0.0.1:6379")
///     .listen(([127, 0, 0, 1], 8079).into())
///     .token("local-token")
///     .read_only_token("local-read-only-token")
///     .max_request_bytes(1 << 20)
///     .start()
///     .await?;
/// assert_eq!(gateway.url(), "http://127.0.0.1:8079");
/// assert_eq!(gateway.token(), "local-token");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "call `start` to run the gateway"]
pub struct GatewayBuilder {
    redis_url: String,
    listen: SocketAddr,
    token: Option<String>,
    read_only_token: Option<String>,
    max_request_bytes: usize,
}

impl Gateway {
    /// Returns the settings of a gateway to the Redis server at `redis_url`.
    ///
    /// The URL is `redis://[[user]:password@]host[:port][/database]` or `unix:///path`.
    pub fn over(redis_url: impl Into<String>) -> GatewayBuilder {
        GatewayBuilder {
            redis_url: redis_url.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: None,
            read_only_token: None,
            max_request_bytes: 10 << 20,
        }
    }

    /// Returns the URL for clients, such as `http://127.0.0.1:8079`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the token that allows all commands.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the token that allows only commands that read.
    #[must_use]
    pub fn read_only_token(&self) -> &str {
        &self.read_only_token
    }
}

impl GatewayBuilder {
    /// Sets the address to listen on. The default is a free port on 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Sets the token that allows all commands. The default has 256 random bits of the operating system.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Sets the token that allows only commands that read. The default has 256 random bits of the operating system.
    pub fn read_only_token(mut self, token: impl Into<String>) -> Self {
        self.read_only_token = Some(token.into());
        self
    }

    /// Sets the largest request body in bytes. The default is 10 MiB, the limit of the service's small plans.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Connects to Redis and starts to answer requests.
    ///
    /// The gateway is a task of the current tokio runtime and stops when that runtime shuts down.
    ///
    /// # Errors
    ///
    /// Returns an error if a token is empty, if both tokens are the same, if Redis cannot be reached, or if the address is
    /// not available.
    pub async fn start(self) -> Result<Gateway, Error> {
        let token = self.token.map_or_else(random_secret, Ok)?;
        let read_only_token = self.read_only_token.map_or_else(random_secret, Ok)?;
        if token.is_empty() || read_only_token.is_empty() || token == read_only_token {
            return Err(Error::new("the token and the read-only token must not be empty and must differ"));
        }
        let backend = Backend::connect(&self.redis_url).await?;
        let policy = Policy::load(&backend).await?;
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|error| Error::caused(format!("cannot listen on {}", self.listen), error))?;
        let address = listener
            .local_addr()
            .map_err(|error| Error::caused("cannot determine the address of the listening socket", error))?;
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
    /// Leaves out the tokens, and the URL, which may contain a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayBuilder").field("listen", &self.listen).finish_non_exhaustive()
    }
}
