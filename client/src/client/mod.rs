//! The clients: async ([`Redis`]) and [`blocking`], and what only a client can do.

mod auto_pipeline;
pub mod blocking;
mod builder;
pub mod subscribe;

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;

use http::HeaderValue;

use self::auto_pipeline::AutoPipeline;
pub use self::auto_pipeline::AutoPipelining;
pub use self::builder::RedisBuilder;
use self::subscribe::{Monitor, Subscription};
use crate::arg::ToArg;
use crate::command::{Command, Encoded, Received};
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::executor::{Batch, Client, Executor, Pages, Paging, Pipeline};

/// An async client for one database. It is cheap to clone; clones share the connections and the sync token.
///
/// | task | how |
/// | --- | --- |
/// | connect | [`from_env`](Redis::from_env), [`new`](Redis::new), [`builder`](Redis::builder) |
/// | send a command | a method of a [command family](crate::commands): `redis.get("name").await?` |
/// | send any other command | [`execute`](Executor::execute) |
/// | send several commands in one request | [`pipeline`](Redis::pipeline), [`batch`](Redis::batch) |
/// | the same, atomically | [`transaction`](Redis::transaction), [`atomic_batch`](Redis::atomic_batch) |
/// | let concurrent commands share requests | [`auto_pipelining`](RedisBuilder::auto_pipelining) |
/// | run a Lua script | [`run_script`](crate::ScriptingCommands::run_script) |
/// | read a large collection in pages | [`IterCommands`](crate::IterCommands) |
/// | receive messages | [`subscribe`](Redis::subscribe), [`psubscribe`](Redis::psubscribe) |
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
    auto_pipeline: Option<Arc<AutoPipeline>>,
}

impl Redis {
    /// Creates a client for the database that the environment names: `UPSTASH_REDIS_REST_URL` and
    /// `UPSTASH_REDIS_REST_TOKEN`, or else `KV_REST_API_URL` and `KV_REST_API_TOKEN`.
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
        RedisBuilder::from_env(|name| std::env::var(name).ok())
    }

    /// Starts a pipeline: commands that travel in one request and run in order. Commands of other clients can run between
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

    /// Subscribes to channels. See [`Subscription`].
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::subscribe::SubscriptionEvent;
    ///
    /// let mut chat = redis.subscribe(["chat"]).psubscribe(["news.*"]);
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
    pub fn subscribe(&self, channels: impl IntoIterator<Item = impl ToArg>) -> Subscription {
        Subscription::new(Arc::clone(&self.connection)).subscribe(channels)
    }

    /// Subscribes to all channels that match glob-style patterns. See [`subscribe`](Redis::subscribe).
    pub fn psubscribe(&self, patterns: impl IntoIterator<Item = impl ToArg>) -> Subscription {
        Subscription::new(Arc::clone(&self.connection)).psubscribe(patterns)
    }

    /// Watches all commands that the server executes. This slows the server down: use it for debugging. See [`Monitor`].
    pub fn monitor(&self) -> Monitor {
        Monitor::new(Arc::clone(&self.connection))
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
        let (connection, auto_pipelining) = self.connection(|name| std::env::var(name).ok())?;
        let connection = Arc::new(connection);
        let auto_pipeline = auto_pipelining.map(|limits| Arc::new(AutoPipeline::new(Arc::clone(&connection), limits)));
        Ok(Redis { connection, auto_pipeline })
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(&self.connection).finish()
    }
}

impl<'a> Executor for &'a Redis {
    type Out<R> = Request<'a, R>;

    fn submit<R>(self, command: Command<R>) -> Request<'a, R> {
        Request { redis: self, command }
    }
}

impl<'a> Client for &'a Redis {
    type Outcome<T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;
    type Paged<T> = Pages<'a, T>;

    fn request<T: 'static>(
        self,
        encoded: Encoded,
        finish: impl FnOnce(Received) -> Result<T> + Send + 'static,
    ) -> Self::Outcome<T> {
        Box::pin(async move { finish(self.connection.request(encoded).await?) })
    }

    fn paged<P: Paging>(self, paging: P) -> Pages<'a, P::Item> {
        Pages::new(paging, move |paging: P| async move {
            let reply = self.submit(paging.command()).await?;
            Ok(paging.advance(reply))
        })
    }
}

/// A command that is sent when it is awaited. The result is its reply.
///
/// Dropping the future after it was polled gives up the reply, but the server may execute the command nevertheless.
#[must_use = "a request is not sent until it is awaited"]
#[derive(Debug)]
pub struct Request<'a, R> {
    redis: &'a Redis,
    command: Command<R>,
}

impl<'a, R: 'a> IntoFuture for Request<'a, R> {
    type Output = Result<R>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<R>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        match &self.redis.auto_pipeline {
            None => Box::pin(self.redis.connection.execute(self.command)),
            Some(auto_pipeline) => Box::pin(auto_pipeline.execute(self.command)),
        }
    }
}
