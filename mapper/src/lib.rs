//! Rust structs and enums as Redis hashes, lists and streams, over the Upstash Redis REST API.
//!
//! ```no_run
//! use redis_model::prelude::*;
//!
//! #[derive(Debug, Clone, PartialEq, RedisModel)]
//! #[redis(prefix = "user")]
//! struct User {
//!     #[redis(id)]
//!     id: u64,
//!     name: String,
//!     bio: Option<String>,
//! }
//!
//! # async fn example() -> Result<()> {
//! let redis = Redis::from_env()?;
//! let ada = User { id: 42, name: "Ada".into(), bio: None };
//! ada.save(&redis).await?;                                 // HSET user:42 id 42 name Ada, HDEL user:42 bio
//! let found: Option<User> = User::load(&redis, 42).await?; // HGETALL user:42
//! assert_eq!(found, Some(ada));
//! # Ok(())
//! # }
//! ```
//!
//! `#[derive(RedisModel)]` makes of a type, by its `#[redis(..)]` attribute:
//!
//! | attribute | what it is | trait |
//! | --- | --- | --- |
//! | `prefix = ".."`, with a field marked `id` | a record: a hash of its own | [`HashModel`] |
//! | `list, prefix = ".."` | an element of typed lists, as JSON | [`ListModel`] |
//! | `stream, prefix = ".."` | an event of typed logs: an entry of a stream | [`StreamModel`] |
//! | `embedded` | fields to [flatten](derive@RedisModel#fields) into another model | [`Embedded`] |
//! | none, on an enum without data or a struct of one unnamed field | a value: one field of a model | [`Field`] |
//!
//! [`derive@RedisModel`] documents all attributes.
//!
//! Models work on every [`Executor`](redis_rest::Executor): async, blocking, in pipelines, transactions and batches.

// The code of the derive names this crate, also in this crate's own tests.
extern crate self as redis_model;

// A module imports only modules before it:
// kind, mismatch -> model, field, codec -> field_codec, id, key, pairs -> hash, list, stream -> codegen
pub mod codec;
#[doc(hidden)]
pub mod codegen;
mod field;
mod field_codec;
mod hash;
mod id;
mod key;
mod kind;
mod list;
mod mismatch;
pub mod model;
mod pairs;
mod stream;

pub use redis_model_derive::RedisModel;
pub use redis_rest::{self, Error, ErrorKind, Redis, Result, blocking, commands};

pub use crate::field::Field;
pub use crate::hash::{FieldRef, HashModel, IdRef, ModelCommands};
pub use crate::id::{GenerateId, Id, IntegerId};
pub use crate::key::KeyPart;
pub use crate::list::{List, ListModel};
pub use crate::mismatch::Mismatch;
pub use crate::model::Embedded;
pub use crate::stream::{Entry, Log, StreamModel};

/// What most programs need: the derive, the model traits, the clients and the commands.
///
/// It exports no type whose name a program is likely to use for something else. Import others by name.
pub mod prelude {
    pub use redis_rest::commands::stream::StreamId;
    pub use redis_rest::{
        BitmapCommands, ConnectionCommands, Executor, FunctionCommands, GenericCommands, GeoCommands, HashCommands,
        HyperLogLogCommands, IterCommands, JsonCommands, ListCommands, PubSubCommands, ScriptingCommands,
        SearchCommands, ServerCommands, SetCommands, SortedSetCommands, StreamCommands, StringCommands,
    };

    pub use crate::{
        GenerateId, HashModel, ListModel, ModelCommands, Redis, RedisModel, Result, StreamModel, blocking,
    };
}
