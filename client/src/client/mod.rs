//! The clients: async ([`Redis`]) and [`blocking`], and what only a client can do.

#[cfg(not(target_family = "wasm"))]
mod auto_pipeline;
#[cfg(not(target_family = "wasm"))]
pub mod blocking;
mod builder;
mod check;
mod live;
mod request;
pub mod subscribe;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

#[cfg(not(target_family = "wasm"))]
use self::auto_pipeline::AutoPipeline;
#[cfg(not(target_family = "wasm"))]
pub use self::auto_pipeline::AutoPipelining;
pub use self::builder::RedisBuilder;
pub use self::live::LiveClient;
pub use self::request::{Request, RequestOr};
use self::subscribe::{Monitor, Subscription};
use crate::command::{BoxFuture, Command, Encoded, OneOrMore, Received, Requests, Session};
use crate::connection::{Connection, Patience};
use crate::error::{Error, Result};
use crate::executor::{Batch, Client, Executor, Pages, Paging, Pipeline};
use crate::platform;
use crate::platform::timer::{self, Wait};

/// An async client for one database. It is cheap to clone; clones share the connections and the sync token.
///
/// Requests are awaited in a tokio runtime, and panic outside one. The [blocking client](crate::blocking::Redis) needs none.
/// In WebAssembly there is no tokio: see [Platforms](crate::guide::platforms).
///
/// | task | how |
/// | --- | --- |
/// | connect | [`from_env`](Redis::from_env), [`new`](Redis::new), [`builder`](Redis::builder) |
/// | verify the settings at the start | [`check`](Redis::check) |
/// | send a command | a method of a [command family](crate::commands): `redis.get("name").await?` |
/// | send any other command | [`execute`](Executor::execute) |
/// | send several commands in one request | [`pipeline`](Redis::pipeline), [`batch`](Redis::batch) |
/// | the same, atomically | [`transaction`](Redis::transaction), [`atomic_batch`](Redis::atomic_batch) |
/// | let concurrent commands share requests | [`auto_pipelining`](RedisBuilder::auto_pipelining) |
/// | limit the time of a call | [`Request::timeout`], [`Request::deadline`]; of many calls: [`with_timeout`](Redis::with_timeout), [`with_deadline`](Redis::with_deadline) |
/// | retry a write that must not be executed twice | [`Request::exactly_once`] |
/// | run a Lua script | [`run_script`](crate::ScriptingCommands::run_script) |
/// | read a large collection in pages | [`IterCommands`](crate::IterCommands) |
/// | receive messages | [`subscribe`](Redis::subscribe), [`psubscribe`](Redis::psubscribe); to end them, a [handle](subscribe::SubscriptionHandle) |
/// | watch all commands of the server | [`monitor`](Redis::monitor) |
/// | read what another client wrote | [`sync_token`](Redis::sync_token), [`set_sync_token`](Redis::set_sync_token) |
///
/// ```no_run
/// # async fn example() -> redis_rest::Result<()> {
/// use redis_rest::{Redis, StringCommands};
///
/// let redis = Redis::from_env()?;
/// redis.set("greeting", "hello").await?;
/// let greeting: Option<String> = redis.get("greeting").await?;
/// assert_eq!(greeting.as_deref(), Some("hello"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Redis {
    connection: Arc<Connection>,
    #[cfg(not(target_family = "wasm"))]
    auto_pipeline: Option<Arc<AutoPipeline>>,
    patience: Patience,
}

impl Redis {
    /// Creates a client for the database that the environment names: `UPSTASH_REDIS_REST_URL`, or else `KV_REST_API_URL`,
    /// and `UPSTASH_REDIS_REST_TOKEN`, or else `KV_REST_API_TOKEN`. A Cloudflare Worker passes its bindings to
    /// [`builder_from_vars`](Redis::builder_from_vars) instead.
    ///
    /// # Errors
    ///
    /// `Config` if a variable is missing or malformed.
    pub fn from_env() -> Result<Self> {
        Redis::builder_from_env().build()
    }

    /// Creates a client for the database at `url`, with the default settings.
    ///
    /// # Errors
    ///
    /// `Config` if the URL or the token is malformed.
    pub fn new(url: impl Into<String>, token: impl Into<String>) -> Result<Self> {
        Redis::builder(url, token).build()
    }

    /// Starts the settings of a client for the database at `url`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redis_rest::{Encoding, Redis};
    ///
    /// let redis = Redis::builder("https://example.upstash.io", "token")
    ///     .timeout(Duration::from_secs(2))
    ///     .encoding(Encoding::Resp2)
    ///     .build()?;
    /// # Ok::<(), redis_rest::Error>(())
    /// ```
    pub fn builder(url: impl Into<String>, token: impl Into<String>) -> RedisBuilder {
        RedisBuilder::new(Some(url.into()), Some(token.into()))
    }

    /// Starts the settings of a client for the database that the environment names, as in [`from_env`](Redis::from_env).
    pub fn builder_from_env() -> RedisBuilder {
        RedisBuilder::from_vars(platform::variable)
    }

    /// Starts the settings of a client from variables that are not those of the process: `variable` returns the value of the
    /// one with that name. The names are those of [`from_env`](Redis::from_env), and `UPSTASH_DISABLE_TELEMETRY`.
    ///
    /// A Cloudflare Worker receives its variables and secrets as *bindings*. With the crate `worker`:
    ///
    /// ```
    /// # struct Env;
    /// # impl Env { fn var(&self, name: &str) -> Result<&'static str, ()> {
    /// #     if name.ends_with("URL") { Ok("https://example.upstash.io") } else { Ok("token") }
    /// # } }
    /// # let env = Env;
    /// use redis_rest::Redis;
    ///
    /// let redis = Redis::builder_from_vars(|name| Some(env.var(name).ok()?.to_string())).build()?;
    /// # Ok::<(), redis_rest::Error>(())
    /// ```
    pub fn builder_from_vars(variable: impl FnMut(&str) -> Option<String>) -> RedisBuilder {
        RedisBuilder::from_vars(variable)
    }

    /// Starts a pipeline: commands that are sent in one request and run in order. Commands of other clients can run between
    /// them. [`exec`](Pipeline::exec) returns their replies as a tuple.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::StringCommands;
    ///
    /// let pipeline = redis.pipeline().get("name").incr("hits");
    /// let (name, hits): (Option<String>, i64) = pipeline.exec().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pipeline(&self) -> Pipeline<&Redis> {
        Pipeline::new(self)
    }

    /// Starts a transaction: a [pipeline](Redis::pipeline) whose commands run atomically. No command of another client runs
    /// between them.
    ///
    /// A command that fails does not undo the others: Redis has no rollback.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::StringCommands;
    ///
    /// let transfer = redis.transaction().decrby("account:1", 20).incrby("account:2", 20);
    /// let (left, right) = transfer.exec().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn transaction(&self) -> Pipeline<&Redis> {
        Pipeline::atomic(self)
    }

    /// Starts a batch: a pipeline for loops, and for more commands than a tuple holds. See [`Batch`].
    pub fn batch(&self) -> Batch<&Redis> {
        Batch::new(self)
    }

    /// Starts a batch whose commands run atomically.
    pub fn atomic_batch(&self) -> Batch<&Redis> {
        Batch::atomic(self)
    }

    /// Subscribes to one channel or to many. See [`Subscription`].
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::subscribe::SubscriptionEvent;
    ///
    /// let mut chat = redis.subscribe("chat").psubscribe("news.*");
    /// while let Some(event) = chat.next().await {
    ///     match event? {
    ///         SubscriptionEvent::Message(message) => println!("{}", message.text()?),
    ///         SubscriptionEvent::Gap { cause, .. } => eprintln!("messages may be lost: {cause}"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe<K>(&self, channels: impl OneOrMore<K>) -> Subscription {
        Subscription::new(Arc::clone(&self.connection)).subscribe(channels)
    }

    /// Subscribes to all channels that match a glob-style pattern, or one of many. See [`subscribe`](Redis::subscribe).
    pub fn psubscribe<K>(&self, patterns: impl OneOrMore<K>) -> Subscription {
        Subscription::new(Arc::clone(&self.connection)).psubscribe(patterns)
    }

    /// Watches all commands that the server executes. This slows the server down: use it for debugging. See [`Monitor`].
    pub fn monitor(&self) -> Monitor {
        Monitor::new(Arc::clone(&self.connection))
    }

    /// Verifies the URL, the token and the encoding: sends a command and compares the reply. Call it when a program starts,
    /// so that a wrong setting is noticed there. It costs one round trip.
    ///
    /// A server that ignores [`Encoding::Base64`](crate::Encoding::Base64) returns plain strings, and a string that
    /// happens to be valid base64 is then decoded to other bytes without an error. Only this check can tell.
    ///
    /// ```no_run
    /// # async fn example() -> redis_rest::Result<()> {
    /// let redis = redis_rest::Redis::from_env()?;
    /// redis.check().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Unauthorized` if the token is wrong, `Protocol` if the server is not a Redis REST API or ignores the encoding, and
    /// the errors of any command.
    pub fn check(&self) -> Request<()> {
        self.submit(check::command())
    }

    /// Returns a client with another [`timeout`](RedisBuilder::timeout) of one attempt. It shares everything else with this
    /// client: connections, sync token and auto-pipelining. This works for pipelines and models too.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use std::time::Duration;
    /// use redis_rest::StringCommands;
    ///
    /// let impatient = redis.with_deadline(Duration::from_millis(200));
    /// let (hits, visits) = impatient.pipeline().incr("hits").incr("visits").exec().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Redis {
        Redis { patience: Patience { timeout: Some(timeout), ..self.patience }, ..self.clone() }
    }

    /// Returns a client with another [`deadline`](RedisBuilder::deadline) of all attempts. See
    /// [`with_timeout`](Redis::with_timeout).
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Redis {
        Redis { patience: Patience { deadline: Some(deadline), ..self.patience }, ..self.clone() }
    }

    /// Returns the token with which another client's reads see what this client has written. Returns `None` before the first
    /// reply, and if [`read_your_writes`](RedisBuilder::read_your_writes) is off.
    ///
    /// ```no_run
    /// # fn example(writer: redis_rest::Redis, reader: redis_rest::Redis) -> redis_rest::Result<()> {
    /// if let Some(token) = writer.sync_token() {
    ///     reader.set_sync_token(&token)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sync_token(&self) -> Option<String> {
        let token = self.connection.sync_token()?.current()?;
        token.to_str().ok().map(str::to_owned)
    }

    /// Sets the token of another client, so that this client's reads see what that client has written. It has no effect if
    /// [`read_your_writes`](RedisBuilder::read_your_writes) is off.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `token` has characters that a header cannot carry.
    pub fn set_sync_token(&self, token: &str) -> Result<()> {
        let value = HeaderValue::try_from(token)
            .map_err(|_| Error::invalid_input("the sync token has characters that a header cannot carry"))?;
        if let Some(sync) = self.connection.sync_token() {
            sync.set(value);
        }
        Ok(())
    }
}

impl RedisBuilder {
    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// `Config`, which says what is wrong and how to correct it.
    pub fn build(self) -> Result<Redis> {
        self.async_client()
    }
}

impl<C> RedisBuilder<C> {
    /// Builds the async client, which the blocking one contains.
    fn async_client(self) -> Result<Redis> {
        #[cfg(not(target_family = "wasm"))]
        let limits = self.auto_pipelining_limits()?;
        let connection = Arc::new(self.connection(platform::variable)?);
        Ok(Redis {
            #[cfg(not(target_family = "wasm"))]
            auto_pipeline: limits.map(|limits| Arc::new(AutoPipeline::new(Arc::clone(&connection), limits))),
            connection,
            patience: Patience::default(),
        })
    }
}

impl Redis {
    /// Sends a command and returns its reply.
    async fn send<R>(self, mut command: Command<R>) -> Result<R> {
        let recovery = command.take_recovery();
        let error = match self.send_once(command).await {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        match recovery {
            Some(recovery) => recovery.run(self.session(), error).await,
            None => Err(error),
        }
    }

    async fn send_once<R>(&self, command: Command<R>) -> Result<R> {
        #[cfg(not(target_family = "wasm"))]
        if let Some(auto_pipeline) = self.auto_pipeline.as_ref().filter(|_| !command.is_nothing()) {
            return Arc::clone(auto_pipeline).execute(command, self.patience).await;
        }
        self.connection.execute(command, self.patience).await
    }

    /// Waits, by this client's timer. Layers above this crate take their timers from here, so that they need no runtime of
    /// their own.
    #[doc(hidden)]
    #[must_use = "it waits when it is awaited"]
    pub fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        timer::sleep(self.connection.timer(), duration)
    }

    fn session(&self) -> Session {
        Session::new(self.clone())
    }
}

impl Requests for Redis {
    fn memory(&self, extra: Duration) -> Option<Duration> {
        self.connection.memory(self.patience, extra)
    }

    fn send(&self, encoded: Encoded) -> BoxFuture<'_, Result<Received>> {
        Box::pin(self.connection.request(encoded, self.patience))
    }

    fn sleep(&self, duration: Duration) -> Wait {
        timer::sleep(self.connection.timer(), duration)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(&self.connection).finish()
    }
}

impl Executor for &Redis {
    type Out<R> = Request<R>;

    fn submit<R>(self, command: Command<R>) -> Request<R> {
        Request::command(self.clone(), command)
    }
}

impl Client for &Redis {
    type OutOr<T, E> = RequestOr<T, E>;
    type Paged<T> = Pages<T>;

    fn resolve_or<T: Send + 'static, E: From<Error> + Send + 'static>(
        request: RequestOr<T, E>,
    ) -> impl Future<Output = Result<T, E>> + Send {
        request
    }

    fn or<T: Send + 'static, E: From<Error> + Send + 'static>(request: Request<Result<T, E>>) -> RequestOr<T, E> {
        RequestOr::new(request)
    }

    fn resolve<R: Send + 'static>(request: Request<R>) -> impl Future<Output = Result<R>> + Send {
        request
    }

    fn request<T: 'static>(
        self,
        encoded: Encoded,
        finish: impl FnOnce(Received) -> Result<T> + Send + 'static,
    ) -> Request<T> {
        Request::commands(self.clone(), encoded, finish)
    }

    fn paged<P: Paging>(self, paging: P) -> Pages<P::Item> {
        let redis = self.clone();
        Pages::new(paging, move |paging: P| {
            let reply = redis.submit(paging.command());
            async move { Ok(paging.advance(reply.await?)) }
        })
    }

    fn run<T, F>(self, flow: impl FnOnce(Session) -> F + Send + 'static) -> Request<T>
    where
        T: 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        Request::flow(self.clone(), move |redis: Redis| Box::pin(flow(redis.session())))
    }

    fn pages_of<P, T, F>(self, start: P, fetch: impl Fn(Session, P) -> F + Send + Clone + 'static) -> Pages<T>
    where
        P: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<(Vec<Result<T>>, Option<P>)>> + Send + 'static,
    {
        (&self.session()).pages_of(start, fetch)
    }
}
