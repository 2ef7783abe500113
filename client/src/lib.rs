//! A thin, complete, typed client for the Upstash Redis REST API, for platforms without TCP connections, such as edge
//! functions.
//!
//! ```no_run
//! # async fn example() -> redis_rest::Result<()> {
//! use redis_rest::commands::expiry::Expiry;
//! use redis_rest::commands::string::SetOptions;
//! use redis_rest::{Executor, HashCommands, Redis, StringCommands};
//!
//! let redis = Redis::from_env()?; // UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN
//! redis.check().await?; // verifies both, and the encoding; one round trip that you can leave out
//!
//! let hour = SetOptions::new().expire(Expiry::seconds(3600));
//! redis.set_with("session", "s3cr3t", hour).await?;
//! let name: Option<String> = redis.hget("user:1", "name").await?;
//!
//! // Several commands in one request, and the tuple of their replies:
//! let (hits, names) = redis.pipeline().incr("hits").hvals::<String>("user:1").exec().await?;
//! println!("{hits} hits, {}", names.join(", "));
//!
//! // Any command:
//! let length: i64 = redis.execute(["XLEN", "orders"]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Clients
//!
//! * [`Redis`] is the async client, [`blocking::Redis`] the blocking one. [`RedisBuilder`] has their settings: timeouts,
//!   [retries](RetryPolicy), the [encoding](Encoding) of replies, [auto-pipelining](AutoPipelining), and the
//!   [transport].
//! * [`check`](Redis::check) verifies the URL, the token and the encoding, when a program starts.
//! * [`Request::deadline`] limits the time of one call, [`with_deadline`](Redis::with_deadline) that of many, and of
//!   the calls of the blocking client.
//! * Code that is generic over [`Client`] serves both.
//!
//! # Commands
//!
//! Each family of the Redis documentation is a trait, whose module has the types of its options and replies:
//!
//! | family | trait | types |
//! | --- | --- | --- |
//! | arrays | [`ArrayCommands`] | [`commands::array`] |
//! | bitmaps | [`BitmapCommands`] | [`commands::bitmap`] |
//! | connection | [`ConnectionCommands`] | |
//! | functions | [`FunctionCommands`] | [`commands::function`] |
//! | keys of any type | [`GenericCommands`] | [`commands::generic`] |
//! | geospatial indexes | [`GeoCommands`] | [`commands::geo`] |
//! | hashes | [`HashCommands`] | [`commands::hash`] |
//! | HyperLogLog | [`HyperLogLogCommands`] | |
//! | JSON | [`JsonCommands`] | [`commands::json`] |
//! | lists | [`ListCommands`] | [`commands::list`] |
//! | publishing | [`PubSubCommands`] | |
//! | scripts | [`ScriptingCommands`] | [`commands::scripting`] |
//! | search | [`SearchCommands`] | [`commands::search`] |
//! | server | [`ServerCommands`] | [`commands::server`] |
//! | sets | [`SetCommands`] | |
//! | sorted sets | [`SortedSetCommands`] | [`commands::sorted_set`] |
//! | streams | [`StreamCommands`] | [`commands::stream`] |
//! | strings | [`StringCommands`] | [`commands::string`] |
//! | vector indexes | [`VectorCommands`] | [`commands::vector`] |
//!
//! Several families share [`commands::expiry`], [`commands::flush`] and [`commands::scan`]. [`IterCommands`] reads large
//! collections as streams and iterators. [`commands::coverage`] lists every command with its methods, and
//! [`commands::options`] every option with its place. [`Executor::execute`] sends any other command, and [`Command`] builds
//! one.
//!
//! # Several commands in one request
//!
//! * [`Redis::pipeline`] returns the replies as a typed tuple, and [`Redis::transaction`] also runs the commands atomically.
//! * [`Redis::batch`] takes any number of commands, in loops; [`Redis::atomic_batch`] runs them atomically.
//! * [`Script`] is a Lua script, which [`run_script`](ScriptingCommands::run_script) sends by its SHA-1 if it can.
//!
//! A command family is declared once, over the trait [`Executor`]: the same methods work on both clients, in pipelines,
//! transactions and batches, and on [`Build`], which returns the [`Command`] instead of sending it.
//!
//! # Messages
//!
//! [`Redis::subscribe`] and [`Redis::psubscribe`] return streams of messages, and [`Redis::monitor`] a stream of all
//! commands. [`subscribe`] has their events. A [handle](subscribe::SubscriptionHandle) ends channels from another task.
//! [`idle_timeout`](RedisBuilder::idle_timeout) limits how long a connection may be silent.
//!
//! # Replies and errors
//!
//! [`FromReply`] decodes a reply to the type that you ask for; nothing is guessed from its content. [`Json`] stores any
//! serde type as JSON text, and [`Value`] takes any reply. [`Error`] has a [kind](ErrorKind), the command that failed, and
//! whether the database [may have changed](Error::may_have_executed).
//!
//! # Tracing
//!
//! Each request has a span of the crate `tracing`: its name is `redis`, its target begins with `redis_rest`, its level is
//! INFO. `tracing-subscriber`'s `fmt` layer prints it with `with_span_events(FmtSpan::CLOSE)`. The fields are those of
//! [OpenTelemetry's conventions for Redis](https://opentelemetry.io/docs/specs/semconv/database/redis/). The layer of
//! `tracing-opentelemetry` exports it as a client span. No field contains a key or another argument. If no subscriber
//! wants the span, it costs one check.
//!
//! | field | value |
//! | --- | --- |
//! | `otel.name`, `db.operation.name` | the command's name; `PIPELINE` or `MULTI` for several commands |
//! | `otel.kind`, `db.system.name` | `client`, `redis` |
//! | `db.operation.batch.size` | the number of commands, if there are several |
//! | `server.address`, `server.port` | the host and the port of the URL |
//! | `redis.attempts` | how many times the request was sent |
//! | `redis.elapsed_ms` | the time in milliseconds, with all attempts and the waits between them |
//! | `error.type` | on failure, the code of Redis's error (`WRONGTYPE`), or the [kind](ErrorKind) (`Timeout`) |
//! | `db.response.status_code` | the code of Redis's error |
//! | `http.response.status_code` | the status of a response that is an error |
//! | `otel.status_code`, `otel.status_description` | `ERROR`, and the [message](Error::message) |
//!
//! A pipeline counts as failed if one of its commands failed; the fields are those of the first. With
//! [auto-pipelining](RedisBuilder::auto_pipelining), a request belongs to several tasks, so its span has no parent.
//!
//! Two events at the level WARN have `error.type`, `reason`, `attempts` and `wait`: a request is sent again, and the
//! connection of a subscription broke (with `db.operation.name`). Subscriptions have no spans, because they do not end.
//!
//! # Guides
//!
//! * [Platforms](crate::guide::platforms): Cloudflare Workers and other WebAssembly, and what is absent there
//! * [Testing your app](crate::guide::testing)
//! * [Differences between the service and the gateway](crate::guide::differences), which a test cannot show
//! * [Coming from upstash-redis (Python) or @upstash/redis](crate::guide::migrating)
//!
//! Documentation marks as *unverified* what could not be tried against the hosted service.
//!
//! # Features of Cargo
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `tls` | yes | `https://` with rustls, aws-lc (as reqwest's own default) and the root certificates of Mozilla, compiled in |
//! | `tls-ring` | no | the same with ring, which compiles faster; see below |
//! | `http2` | no | several requests on one connection, if the server supports HTTP/2 |
//! | `hyper` | no | `RedisBuilder::hyper`, a transport with less than half of the instructions for a small request |
//! | `uuid` | no | `uuid::Uuid` as an argument and a reply |
//! | `ulid` | no | `ulid::Ulid` as an argument and a reply |
//!
//! `tls-ring` is for programs that turn `tls` off and use no other crate with reqwest or rustls. Cargo unites the features of
//! all crates: reqwest is then built without a default TLS provider, and the `reqwest::Client::new()` of another crate
//! panics, unless a crate enables a TLS feature of reqwest, or the program installs a provider.

// What only auto-pipelining uses has nobody to use it there.
#![cfg_attr(target_family = "wasm", allow(dead_code))]

pub mod commands;
pub mod guide;
pub mod transport;

mod arg;
mod client;
mod command;
mod connection;
mod error;
mod executor;
mod platform;
mod reply;
mod wire;

/// What the fuzz targets need of private modules. It exists only in their builds.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// Returns the events in `bytes` if they arrive in chunks of this size.
    pub fn events(bytes: &[u8], chunk: usize) -> Vec<Vec<u8>> {
        let mut events = crate::wire::sse::Events::default();
        let mut all = Vec::new();
        for chunk in bytes.chunks(chunk) {
            if events.push(chunk, usize::MAX).is_ok() {
                all.extend(std::iter::from_fn(|| events.next()));
            }
        }
        all
    }
}

pub use bytes;

pub use crate::arg::{Arg, ToArg};
#[cfg(not(target_family = "wasm"))]
pub use crate::client::AutoPipelining;
#[cfg(not(target_family = "wasm"))]
pub use crate::client::blocking::{self, PageIter};
pub use crate::client::{LiveClient, Redis, RedisBuilder, Request, RequestOr, subscribe};
pub use crate::command::{Args, Command, OneOrMore, OneOrMorePairs, Script, ScriptCall, ToArgs, Untyped};
#[doc(hidden)]
pub use crate::command::{Session, nonce};
#[doc(inline)]
pub use crate::commands::{
    ArrayCommands, BitmapCommands, ConnectionCommands, FunctionCommands, GenericCommands, GeoCommands, HashCommands,
    HyperLogLogCommands, IterCommands, JsonCommands, ListCommands, PubSubCommands, ScriptingCommands, SearchCommands,
    ServerCommands, SetCommands, SortedSetCommands, StreamCommands, StringCommands, VectorCommands,
};
pub use crate::connection::RetryPolicy;
pub use crate::error::{Error, ErrorKind, Result};
#[doc(hidden)]
pub use crate::executor::SessionRequest;
pub use crate::executor::{Batch, BatchReplies, Build, Client, Executor, Pages, Paging, Pipeline, Slot, Tuple};
pub use crate::platform::Timer;
#[doc(hidden)]
pub use crate::platform::{Instant, random};
pub use crate::reply::{FromReply, Json, Pairs, Replies, Reply, Shape, Value};
pub use crate::wire::Encoding;
