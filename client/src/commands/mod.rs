//! The commands, one trait for each family of the Redis documentation.
//!
//! A family is a trait of provided methods over [`Executor`](crate::Executor): each command is declared once and
//! runs on every executor. A method has the command's own name; where a command has options, `name_with` takes them,
//! where it may take a count, `name_count`, and where it may give more, `name_withscores`.
//!
//! | family | trait |
//! | --- | --- |
//! | bitmap | [`BitmapCommands`] |
//! | connection | [`ConnectionCommands`] |
//! | functions | [`FunctionCommands`] |
//! | generic: keys, whatever they hold | [`GenericCommands`] |
//! | geo | [`GeoCommands`] |
//! | hash | [`HashCommands`] |
//! | hyperloglog | [`HyperLogLogCommands`] |
//! | json | [`JsonCommands`] |
//! | list | [`ListCommands`] |
//! | pub/sub | [`PubSubCommands`]; [`Redis::subscribe`](crate::Redis::subscribe) is a stream of events |
//! | scripting | [`ScriptingCommands`] |
//! | search | [`SearchCommands`] |
//! | server | [`ServerCommands`] |
//! | set | [`SetCommands`] |
//! | sorted set | [`SortedSetCommands`] |
//! | streams | [`StreamCommands`] |
//! | string | [`StringCommands`] |
//! | scans and ranges, page by page | [`IterCommands`] |
//! | any command by its name | [`RawCommands`](crate::RawCommands) |
//!
//! [`coverage`] lists every command with its methods and its page.
//!
//! # What does not go over REST
//!
//! | commands | instead |
//! | --- | --- |
//! | `BLPOP` and its family, `BLOCK` of `XREAD` and `XREADGROUP` | poll |
//! | `WATCH`, `UNWATCH`, `DISCARD` | a [transaction](crate::Redis::transaction) is sent whole; a condition takes a script |
//! | `MULTI`, `EXEC` | [`Redis::transaction`](crate::Redis::transaction) |
//! | `AUTH`, `CLIENT`, `HELLO`, `QUIT`, `RESET` | the token, and the HTTP client |
//! | `UNSUBSCRIBE`, `PUNSUBSCRIBE` | dropping the [subscription](crate::Subscription) |
//!
//! They have no methods; [`execute`](crate::RawCommands::execute) refuses nothing.
//!
//! # Which commands are retried
//!
//! The declaration of a command says whether it reads, is idempotent (twice in a row leaves the same data *and* gives
//! the same reply: `SET`, `MSET`, `EXPIRE`) or neither (`INCR`, `DEL`, `SET NX`). [`RetryPolicy`](crate::RetryPolicy)
//! says what follows from it.
//!
//! # Adding a command
//!
//! One method in its family's file, its golden and its live test. See `ARCHITECTURE.md`.

#[doc = include_str!("coverage.md")]
pub mod coverage {}

mod bitmap;
mod connection;
mod expiry;
mod function;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod info;
mod iter;
mod json;
mod list;
mod pubsub;
mod scan;
mod scripting;
pub mod search;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;

pub use self::bitmap::{BitField, BitOffset, BitOperation, BitRange, BitType, BitmapCommands};
pub use self::connection::ConnectionCommands;
pub use self::expiry::{ExpireCondition, Expiry, GetExpiry, SetExpiry, Ttl};
pub use self::function::{EngineStats, Function, FunctionCommands, FunctionStats, Library, RunningFunction};
pub use self::generic::{CopyOptions, GenericCommands, KeyType, RestoreOptions};
pub use self::geo::{
    Coordinates, GeoAddOptions, GeoCommands, GeoFrom, GeoHit, GeoRadiusOptions, GeoSearch, GeoShape, GeoStore, GeoUnit,
};
pub use self::hash::{FieldExpire, FieldPersist, HSetExOptions, HashCommands};
pub use self::hyperloglog::HyperLogLogCommands;
pub use self::iter::IterCommands;
pub use self::json::{JsonCommands, JsonFormat, JsonSetCondition, JsonType};
pub use self::list::{ListCommands, ListPlace, ListSide, LposOptions, Popped};
pub use self::pubsub::PubSubCommands;
pub use self::scan::{Cursor, ScanOptions, ScanPage};
pub use self::scripting::{FlushMode, ScriptingCommands};
pub use self::search::SearchCommands;
pub use self::server::{AclLogEntry, AclSelector, AclUser, CommandInfo, ServerCommands, ServerInfo};
pub use self::set::SetCommands;
pub use self::sorted_set::{LexRange, Scored, SortedSetCommands, ZAddOptions, ZCombineOptions, ZEnd, ZRange};
pub use self::stream::{
    AutoClaim, ConsumerInfo, ConsumerInfoFull, Delivery, EntryRemoval, GroupInfo, GroupInfoFull, GroupPosition,
    GroupStart, NewId, Pending, PendingSummary, RefPolicy, StreamCommands, StreamEntries, StreamEntry, StreamInfo,
    StreamInfoFull, Trim, XAddOptions, XClaimOptions, XPendingOptions, XReadGroupOptions,
};
pub use self::string::{Compare, SetOptions, StringCommands};
