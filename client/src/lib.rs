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
//! * Code that is generic over [`Client`] serves both.
//!
//! # Commands
//!
//! Each family of the Redis documentation is a trait, whose module has the types of its options and replies:
//!
//! | family | trait | types |
//! | --- | --- | --- |
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
//!
//! Several families share [`commands::expiry`] and [`commands::scan`]. [`IterCommands`] reads large collections as streams
//! and iterators. [`commands::coverage`] lists every command with its methods. [`Executor::execute`] sends any other
//! command, and [`Command`] builds one.
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
//! commands. [`subscribe`] has their events.
//!
//! # Replies and errors
//!
//! [`FromReply`] decodes a reply to the type that you ask for; nothing is guessed from its content. [`Json`] stores any
//! serde type as JSON text, and [`Value`] takes any reply. [`Error`] has a [kind](ErrorKind), the command that failed, and
//! whether the database [may have changed](Error::may_have_executed).
//!
//! # Guides
//!
//! * [Testing your app](crate::guide::testing)
//! * [Coming from upstash-redis (Python) or @upstash/redis](crate::guide::migrating)
//!
//! Documentation marks as *unverified* what could not be tried against the hosted service.
//!
//! # Features of Cargo
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `tls` | yes | `https://` with rustls, ring and the root certificates of Mozilla, compiled in |
//! | `http2` | no | several requests on one connection, if the server supports HTTP/2 |
//! | `uuid` | no | `uuid::Uuid` as an argument and a reply |
//! | `ulid` | no | `ulid::Ulid` as an argument and a reply |

pub mod commands;
pub mod guide;
pub mod transport;

mod arg;
mod client;
mod command;
mod connection;
mod error;
mod executor;
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
pub use crate::client::{AutoPipelining, Redis, RedisBuilder, Request, blocking, subscribe};
pub use crate::command::{Args, Command, OneOrMore, OneOrMorePairs, Script, ScriptCall, ToArgs, Untyped};
#[doc(inline)]
pub use crate::commands::{
    BitmapCommands, ConnectionCommands, FunctionCommands, GenericCommands, GeoCommands, HashCommands,
    HyperLogLogCommands, IterCommands, JsonCommands, ListCommands, PubSubCommands, ScriptingCommands, SearchCommands,
    ServerCommands, SetCommands, SortedSetCommands, StreamCommands, StringCommands,
};
pub use crate::connection::RetryPolicy;
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::executor::{
    Batch, BatchReplies, Build, Client, Executor, PageIter, Pages, Paging, Pipeline, Slot, Tuple,
};
pub use crate::reply::{FromReply, Json, Pairs, Replies, Reply, Shape, Value};
pub use crate::wire::Encoding;
