//! A thin, complete, typed client for the Upstash Redis REST API, for where TCP is unwelcome.
//!
//! ```no_run
//! # async fn example() -> redis_rest::Result<()> {
//! use redis_rest::{Expiry, HashCommands, RawCommands, Redis, SetOptions, StringCommands};
//!
//! let redis = Redis::from_env()?;
//! redis.set_with("session", "s3cr3t", SetOptions::new().expire(Expiry::seconds(3600))).await?;
//! let name: Option<String> = redis.hget("user:1", "name").await?;
//! let (hits, names) = redis.pipeline().incr("hits").hvals::<Vec<String>>("user:1").exec().await?;
//! let length: i64 = redis.execute(["XLEN", "orders"]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! * [`Redis`] is the async client, [`blocking::Redis`] the blocking one. Both, and pipelines, transactions and
//!   batches, are [`Executor`]s: every command of every family in [`commands`] is declared once and serves them all.
//! * [`Command`] is a command as a value, [`Build`] the executor that hands it back.
//! * [`FromReply`] decodes replies by the type you ask for; nothing is guessed.
//! * [`commands::coverage`] lists every command with its methods; [`IterCommands`] has scans as streams and iterators,
//!   [`Script`] scripts, [`Redis::subscribe`] messages, [`AutoPipelining`] pipelines that nobody has to build.
//! * [`Error`] says what happened, to which command, and whether the database may have changed.
//!
//! What could not be tried against the hosted service from where this was built is marked *unverified* in the docs.

pub mod blocking;
pub mod commands;
pub mod transport;

mod arg;
mod args;
mod auto_pipeline;
mod batch;
mod client;
mod command;
mod config;
mod core;
mod encoded;
mod error;
mod executor;
mod number;
mod pages;
mod pipeline;
mod reply;
mod script;
mod stream_id;
mod subscribe;
mod sync_token;
mod telemetry;
mod wire;

/// What the fuzz targets need of what is private, and nobody else can see.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// The events that come of bytes which arrive in chunks of this size.
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
pub use crate::args::{Args, ToArgs};
pub use crate::auto_pipeline::AutoPipelining;
pub use crate::batch::{Batch, BatchReplies, Slot};
pub use crate::client::{Redis, Request};
pub use crate::command::{Command, RawCommand};
pub use crate::commands::*;
pub use crate::config::{Encoding, RedisBuilder};
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::executor::{Build, Client, Executor, RawCommands};
pub use crate::pages::{PageIter, Pages, Paging};
pub use crate::pipeline::{Pipeline, Tuple};
pub use crate::reply::{FromReply, Json, Replies, Reply, Shape, Value};
pub use crate::script::Script;
pub use crate::stream_id::StreamId;
pub use crate::subscribe::{Message, Monitor, MonitorEvent, MonitoredCommand, Subscription, SubscriptionEvent};
pub use crate::transport::retry::RetryPolicy;
