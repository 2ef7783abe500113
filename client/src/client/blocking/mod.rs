//! The blocking client: the same commands, pipelines and retries, without `async`.
//!
//! ```no_run
//! use redis_rest::{StringCommands, blocking};
//!
//! let redis = blocking::Redis::from_env()?;
//! redis.set("greeting", "hello")?;
//! let greeting: Option<String> = redis.get("greeting")?;
//! # Ok::<(), redis_rest::Error>(())
//! ```

mod pages;

use std::fmt;
use std::future::{poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_core::Stream;
use tokio::runtime::Runtime;

pub use self::pages::PageIter;
use super::RedisBuilder;
use super::live::LiveClient;
use super::subscribe::{Monitor, Subscription, SubscriptionHandle};
use crate::command::{Command, Encoded, OneOrMore, Received, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::executor::{Batch, Client, Executor, Paging, Pipeline};
use crate::platform;

/// A client for one database whose calls block the calling thread until the reply is there. It has the same methods as the
/// [async client](crate::Redis). It is cheap to clone; clones share the connections and one background thread that drives
/// them.
///
/// It can be used and dropped anywhere. Inside an async runtime, it blocks the thread of the task that calls it: use
/// [`redis_rest::Redis`](crate::Redis) there.
#[derive(Clone)]
pub struct Redis {
    client: super::Redis,
    driver: Arc<Driver>,
}

impl Redis {
    /// Creates a client for the database that the environment names. See
    /// [`redis_rest::Redis::from_env`](crate::Redis::from_env).
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
    /// use redis_rest::blocking::Redis;
    ///
    /// let redis = Redis::builder("https://example.upstash.io", "token").timeout(Duration::from_secs(2)).build()?;
    /// # Ok::<(), redis_rest::Error>(())
    /// ```
    pub fn builder(url: impl Into<String>, token: impl Into<String>) -> RedisBuilder<Redis> {
        RedisBuilder::new(Some(url.into()), Some(token.into()))
    }

    /// Starts the settings of a client for the database that the environment names, as in [`from_env`](Redis::from_env).
    pub fn builder_from_env() -> RedisBuilder<Redis> {
        RedisBuilder::from_vars(platform::variable)
    }

    /// Starts a pipeline. See [`redis_rest::Redis::pipeline`](crate::Redis::pipeline).
    pub fn pipeline(&self) -> Pipeline<&Redis> {
        Pipeline::new(self)
    }

    /// Starts a transaction. See [`redis_rest::Redis::transaction`](crate::Redis::transaction).
    pub fn transaction(&self) -> Pipeline<&Redis> {
        Pipeline::atomic(self)
    }

    /// Starts a batch. See [`redis_rest::Redis::batch`](crate::Redis::batch).
    pub fn batch(&self) -> Batch<&Redis> {
        Batch::new(self)
    }

    /// Starts a batch whose commands run atomically.
    pub fn atomic_batch(&self) -> Batch<&Redis> {
        Batch::atomic(self)
    }

    /// Subscribes to channels. See [`redis_rest::Redis::subscribe`](crate::Redis::subscribe).
    ///
    /// ```no_run
    /// # fn example(redis: redis_rest::blocking::Redis) -> redis_rest::Result<()> {
    /// for event in redis.subscribe(["chat"]) {
    ///     println!("{:?}", event?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe<K>(&self, channels: impl OneOrMore<K>) -> BlockingIter<Subscription> {
        BlockingIter { driver: Arc::clone(&self.driver), stream: self.client.subscribe(channels) }
    }

    /// Subscribes to all channels that match glob-style patterns.
    pub fn psubscribe<K>(&self, patterns: impl OneOrMore<K>) -> BlockingIter<Subscription> {
        BlockingIter { driver: Arc::clone(&self.driver), stream: self.client.psubscribe(patterns) }
    }

    /// Watches all commands that the server executes. See [`redis_rest::Redis::monitor`](crate::Redis::monitor).
    pub fn monitor(&self) -> BlockingIter<Monitor> {
        BlockingIter { driver: Arc::clone(&self.driver), stream: self.client.monitor() }
    }

    /// Verifies the URL, the token and the encoding. See [`redis_rest::Redis::check`](crate::Redis::check).
    ///
    /// # Errors
    ///
    /// `Unauthorized` if the token is wrong, `Protocol` if the server is not a Redis REST API or ignores the encoding, and
    /// the errors of any command.
    pub fn check(&self) -> Result<()> {
        self.driver.wait(self.client.check())
    }

    /// Returns a client with another timeout of one attempt, for calls that need one. See
    /// [`redis_rest::Redis::with_timeout`](crate::Redis::with_timeout).
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Redis {
        Redis { client: self.client.with_timeout(timeout), driver: Arc::clone(&self.driver) }
    }

    /// Returns a client with another deadline of all attempts. See
    /// [`redis_rest::Redis::with_timeout`](crate::Redis::with_timeout).
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Redis {
        Redis { client: self.client.with_deadline(deadline), driver: Arc::clone(&self.driver) }
    }

    /// Returns an executor whose commands are executed exactly once, although the client sends them again after a lost reply.
    /// [`Command::exactly_once`] describes what that guarantees and what it costs.
    ///
    /// ```no_run
    /// # fn example(redis: redis_rest::blocking::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::StringCommands;
    ///
    /// let hits = redis.exactly_once().incr("hits")?;
    /// assert_eq!(hits, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn exactly_once(&self) -> ExactlyOnce<'_> {
        ExactlyOnce { redis: self }
    }

    /// Returns the token with which another client's reads see what this client has written. See
    /// [`redis_rest::Redis::sync_token`](crate::Redis::sync_token).
    #[must_use]
    pub fn sync_token(&self) -> Option<String> {
        self.client.sync_token()
    }

    /// Sets the token of another client, so that this client's reads see what that client has written.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `token` has characters that a header cannot carry.
    pub fn set_sync_token(&self, token: &str) -> Result<()> {
        self.client.set_sync_token(token)
    }
}

impl<C> RedisBuilder<C> {
    fn blocking_client(self) -> Result<Redis> {
        Ok(Redis { client: self.async_client()?, driver: Arc::new(Driver::start()?) })
    }
}

impl RedisBuilder {
    /// Builds a [blocking](crate::blocking) client with the settings of an async one.
    ///
    /// # Errors
    ///
    /// Those of [`build`](RedisBuilder::build).
    pub fn build_blocking(self) -> Result<Redis> {
        self.blocking_client()
    }
}

impl RedisBuilder<Redis> {
    /// Builds the [blocking](self) client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// `Config`, which says what is wrong and how to correct it.
    pub fn build(self) -> Result<Redis> {
        self.blocking_client()
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("blocking::Redis").field(&self.client).finish()
    }
}

impl Executor for &Redis {
    type Out<R> = Result<R>;

    fn submit<R>(self, command: Command<R>) -> Result<R> {
        self.driver.wait(self.client.clone().send(command))
    }
}

/// An executor whose commands are executed exactly once. [`Redis::exactly_once`] returns it.
#[derive(Debug, Clone, Copy)]
pub struct ExactlyOnce<'a> {
    redis: &'a Redis,
}

impl Executor for ExactlyOnce<'_> {
    type Out<R> = Result<R>;

    fn submit<R>(self, command: Command<R>) -> Result<R> {
        self.redis.submit(command.exactly_once())
    }
}

impl Client for &Redis {
    type OutOr<T, E> = Result<T, E>;
    type Paged<T> = PageIter<T>;

    fn resolve_or<T: Send + 'static, E: From<Error> + Send + 'static>(
        outcome: Result<T, E>,
    ) -> impl Future<Output = Result<T, E>> + Send {
        ready(outcome)
    }

    fn or<T: Send + 'static, E: From<Error> + Send + 'static>(outcome: Result<Result<T, E>>) -> Result<T, E> {
        outcome?
    }

    fn resolve<R: Send + 'static>(reply: Result<R>) -> impl Future<Output = Result<R>> + Send {
        ready(reply)
    }

    fn request<T: 'static>(
        self,
        encoded: Encoded,
        finish: impl FnOnce(Received) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.driver.wait(self.client.request(encoded, finish))
    }

    fn paged<P: Paging>(self, paging: P) -> PageIter<P::Item> {
        let redis = self.clone();
        PageIter::new(paging, move |command| redis.submit(command))
    }

    fn run<T, F>(self, flow: impl FnOnce(Session) -> F + Send + 'static) -> Result<T>
    where
        T: 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.driver.wait(self.client.run(flow))
    }

    fn pages_of<P, T, F>(self, start: P, fetch: impl Fn(Session, P) -> F + Send + Clone + 'static) -> PageIter<T>
    where
        P: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<(Vec<Result<T>>, Option<P>)>> + Send + 'static,
    {
        let redis = self.clone();
        PageIter::of_pages(start, move |at| {
            redis.run({
                let fetch = fetch.clone();
                move |session| fetch(session, at)
            })
        })
    }
}

impl LiveClient for &Redis {
    type Live<S: Stream + Unpin> = BlockingIter<S>;

    fn live<S: Stream + Unpin>(self, start: impl FnOnce(super::Redis) -> S) -> BlockingIter<S> {
        BlockingIter { driver: Arc::clone(&self.driver), stream: start(self.client.clone()) }
    }
}

/// An iterator over a stream. It blocks the calling thread until the next item is there.
#[derive(Debug)]
#[must_use = "an iterator does nothing until it is used"]
pub struct BlockingIter<S> {
    driver: Arc<Driver>,
    stream: S,
}

impl BlockingIter<Subscription> {
    /// Returns a handle that ends the subscription, or some of its channels and patterns, while this iterator waits for
    /// events. See [`Subscription::handle`].
    #[must_use]
    pub fn handle(&self) -> SubscriptionHandle {
        self.stream.handle()
    }
}

impl<S> BlockingIter<S> {
    /// Returns the stream, for methods of its own.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: Stream + Unpin> Iterator for BlockingIter<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        let stream = &mut self.stream;
        self.driver.wait(poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)))
    }
}

/// The runtime that drives connections and timers, on a thread of its own. It also runs between calls, so a connection that
/// the server closed is known to be closed before the next request.
#[derive(Debug)]
struct Driver {
    /// Taken only by `drop`.
    runtime: Option<Runtime>,
}

impl Driver {
    fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("redis-rest")
            .enable_all()
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Config, "the background thread cannot be started").with_source(error)
            })?;
        Ok(Driver { runtime: Some(runtime) })
    }

    /// Polls `future` on this thread, which sleeps between polls. Unlike the runtime's `block_on`, this does not panic inside
    /// another runtime.
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let _entered = self.runtime.as_ref().map(Runtime::enter);
        // Inside a task of another runtime, the future would use up that task's budget, which is renewed only after this
        // call has returned.
        let mut future = pin!(tokio::task::unconstrained(future));
        let unpark = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(false) });
        let waker = Waker::from(Arc::clone(&unpark));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            // Parking alone is not enough: something else on this thread may have consumed the wake-up.
            while !unpark.woken.swap(false, Ordering::Acquire) {
                thread::park();
            }
        }
    }
}

impl Drop for Driver {
    /// The runtime's own drop would block, which panics inside another runtime.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
