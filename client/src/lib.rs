//! A thin, complete, typed client for the Upstash Redis REST API, for platforms on which TCP is unwelcome.

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
pub use crate::command::{Args, Command, Script, ToArgs};
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
