//! A running gateway and its settings.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::auth::Tokens;
use crate::backend::Backend;
use crate::budget::Budget;
use crate::error::Error;
use crate::http;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::script::Scripts;
use crate::secret::random_secret;
use crate::state::State;
use crate::view::View;

/// A running gateway. It stops when it is dropped, and cuts its connections; [`shutdown`](Gateway::shutdown) lets requests
/// finish.
///
/// # Limits
///
/// | what | limit |
/// | --- | --- |
/// | body of a request | [`max_request_bytes`](GatewayBuilder::max_request_bytes) |
/// | replies to a request | [`max_reply_bytes`](GatewayBuilder::max_reply_bytes) |
/// | bodies of open requests of all other tokens together | twice `max_request_bytes` |
/// | replies that are held for all other tokens together | twice `max_reply_bytes` |
/// | connections to Redis that run commands of all other tokens at once | 8. Further requests wait |
/// | connections from clients, and as many to Redis | 3/8 of the open files of the process, but 8 to 4096 |
/// | open requests and subscriptions | 7/8 of the connections |
/// | those of the token for all commands | 3/4 of the connections. The rest is for the other tokens |
/// | those of all other tokens | 1/2 of the connections. The rest is for the token for all commands |
/// | time for the head of a request | 10 seconds |
/// | time for the body of a request | 2 minutes |
/// | time between two requests of a connection | 2 minutes |
/// | time for which a client takes nothing of a response | 1 minute |
///
/// The open files are those that `ulimit -n` allows. If there are more connections, the one that has been idle or slow for
/// the longest time is closed.
///
/// The other tokens are the read-only token and those of ACL users. A request above the limits is refused with 429 and `ERR
/// max concurrent connections exceeded`.
///
/// Replies are held until the client has taken the response. Of the token for all commands, only each request is limited: a
/// hundred requests at once can hold a hundred times `max_reply_bytes`. A reply counts as the strings that Redis sends;
/// JSON can take up to six times as much for control characters.
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
pub struct Gateway {
    address: SocketAddr,
    token: String,
    read_only_token: String,
    view_url: Option<String>,
    /// True lets requests finish. Dropping the sender cuts them.
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

/// The time for requests to finish when the gateway shuts down.
const SHUTDOWN: Duration = Duration::from_secs(30);

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
    max_reply_bytes: usize,
    all_commands: bool,
    heartbeat: Duration,
    view: Option<SocketAddr>,
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
            max_reply_bytes: 100 << 20,
            all_commands: false,
            heartbeat: Duration::from_secs(15),
            view: None,
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

    /// Returns the URL of the [web view](GatewayBuilder::view), with the key that opens it, or `None` if there is no view.
    ///
    /// Whoever has the URL and can connect to this machine's loopback address sees all data.
    #[must_use]
    pub fn view_url(&self) -> Option<&str> {
        self.view_url.as_deref()
    }

    /// Stops the gateway after its open requests have finished, or after 30 seconds.
    ///
    /// It accepts no new connections from the start. Subscriptions end at once.
    ///
    /// ```no_run
    /// use redis_rest_gateway::Gateway;
    ///
    /// # async fn example() -> Result<(), redis_rest_gateway::Error> {
    /// let gateway = Gateway::over("redis://127.0.0.1:6379").start().await?;
    /// // Requests that are open now still get their replies.
    /// gateway.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shutdown(self) {
        let Gateway { stop, served, .. } = self;
        // This fails if the runtime of the gateway has ended, and with it the gateway.
        let _ = stop.send(true);
        let _ = tokio::time::timeout(SHUTDOWN, served).await;
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

    /// Sets the largest size of the replies to one request. The default is 100 MiB.
    ///
    /// The size counts the bytes of strings, and about 40 bytes for each element of an array. Replies that exceed it are
    /// replaced by the error `ERR max request size exceeded`, the one that the service has for requests and replies. Their
    /// commands have been executed. In a pipeline, the replies that fit are returned.
    ///
    /// Twice as much is the limit of what the gateway holds for all requests of the read-only token and of ACL users
    /// together. Replies that exceed it are replaced by the same error.
    pub fn max_reply_bytes(mut self, bytes: usize) -> Self {
        self.max_reply_bytes = bytes;
        self
    }

    /// Allows the commands of the server that the service does not document, such as `OBJECT` or `SORT`.
    ///
    /// By default they are refused as the service refuses them, so that a program that passes its tests can use the
    /// service. Commands that block, that need a connection of their own, or that stop, move or replicate the server are
    /// refused in any case.
    pub fn all_commands(mut self) -> Self {
        self.all_commands = true;
        self
    }

    /// Sets how long an event stream is silent before it gets a comment. The default is 15 seconds.
    ///
    /// Readers ignore comments. They keep the connection open, and tell a quiet channel from a lost connection. Zero turns
    /// them off.
    pub fn heartbeat(mut self, silence: Duration) -> Self {
        self.heartbeat = silence;
        self
    }

    /// Adds the web view, which shows the store in a browser, at this loopback address. By default there is none.
    ///
    /// The view reads and never writes. It has an address of its own, since other machines and web pages may use the API but
    /// not the view. [`Gateway::view_url`] opens it.
    ///
    /// ```no_run
    /// use redis_rest_gateway::Gateway;
    ///
    /// # async fn example() -> Result<(), redis_rest_gateway::Error> {
    /// // Port 0 is a free port.
    /// let gateway = Gateway::over("redis://127.0.0.1:6379").view(([127, 0, 0, 1], 0).into()).start().await?;
    /// println!("Open {} in a browser", gateway.view_url().unwrap_or_default());
    ///
    /// // Another machine could see all data.
    /// let error = Gateway::over("redis://127.0.0.1:6379").view(([0, 0, 0, 0], 0).into()).start().await.unwrap_err();
    /// assert!(error.to_string().contains("0.0.0.0 is not a loopback address"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn view(mut self, address: SocketAddr) -> Self {
        self.view = Some(address);
        self
    }

    /// Connects to Redis and starts to answer requests.
    ///
    /// The gateway is a task of the current tokio runtime and stops when that runtime shuts down.
    ///
    /// # Errors
    ///
    /// Returns an error if a token is empty, if both tokens are the same, if Redis cannot be reached, if an address is not
    /// available, or if that of the view is not a loopback address.
    pub async fn start(self) -> Result<Gateway, Error> {
        let token = self.token.map_or_else(random_secret, Ok)?;
        let read_only_token = self.read_only_token.map_or_else(random_secret, Ok)?;
        if token.is_empty() || read_only_token.is_empty() || token == read_only_token {
            return Err(Error::new("the token and the read-only token must not be empty and must differ"));
        }
        let mut backend = Backend::connect(&self.redis_url).await?;
        let policy = Policy::load(&backend, self.all_commands).await?;
        let limits = Limits::of_this_process();
        backend.limit(&limits);
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|error| Error::caused(format!("cannot listen on {}", self.listen), error))?;
        let address = listener
            .local_addr()
            .map_err(|error| Error::caused("cannot determine the address of the listening socket", error))?;
        let view = match self.view {
            Some(address) => Some(View::bind(address).await?),
            None => None,
        };
        let view_url = view.as_ref().map(View::url);
        let (stop, stopping) = watch::channel(false);
        let state = State {
            backend,
            budget: Budget::new(self.max_request_bytes, self.max_reply_bytes),
            policy,
            tokens: Tokens::new(token.clone(), read_only_token.clone()),
            scripts: Scripts::default(),
            heartbeat: self.heartbeat,
            max_request_bytes: self.max_request_bytes,
            responses: AtomicU64::new(0),
            stop: stopping,
        };
        let state = Arc::new(state);
        let served = tokio::spawn(async move {
            let api = http::serve(listener, Arc::clone(&state), limits.clone());
            match view {
                Some(view) => drop(tokio::join!(api, view.serve(state, limits))),
                None => api.await,
            }
        });
        Ok(Gateway { address, token, read_only_token, view_url, stop, served })
    }
}

impl std::fmt::Debug for Gateway {
    /// Leaves out the tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("address", &self.address).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for GatewayBuilder {
    /// Leaves out the tokens, and the URL, which may contain a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayBuilder").field("listen", &self.listen).finish_non_exhaustive()
    }
}
