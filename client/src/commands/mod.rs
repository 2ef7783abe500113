//! The commands: a trait for each family of the Redis documentation, and a module for its options and replies.
//!
//! A family is a trait of provided methods over [`Executor`](crate::Executor), so each command is declared once and runs on
//! every executor. A method has the name of its command (`TYPE`, a word of Rust, is [`type_of`](GenericCommands::type_of)).
//! If the command has options, `name_with` takes them, as the last argument. `name_count` takes a count, and
//! `name_withscores` and its like return more.
//!
//! | family | trait | module |
//! | --- | --- | --- |
//! | arrays | [`ArrayCommands`] | [`array`](mod@array) |
//! | bitmaps | [`BitmapCommands`] | [`bitmap`] |
//! | connection | [`ConnectionCommands`] | |
//! | functions | [`FunctionCommands`] | [`function`] |
//! | keys of any type | [`GenericCommands`] | [`generic`] |
//! | geospatial indexes | [`GeoCommands`] | [`geo`] |
//! | hashes | [`HashCommands`] | [`hash`] |
//! | HyperLogLog | [`HyperLogLogCommands`] | |
//! | JSON | [`JsonCommands`] | [`json`] |
//! | lists | [`ListCommands`] | [`list`] |
//! | publishing | [`PubSubCommands`] | [`subscribe`](crate::subscribe) |
//! | scripts | [`ScriptingCommands`] | [`scripting`] |
//! | search | [`SearchCommands`] | [`search`] |
//! | server | [`ServerCommands`] | [`server`] |
//! | sets | [`SetCommands`] | |
//! | sorted sets | [`SortedSetCommands`] | [`sorted_set`] |
//! | streams | [`StreamCommands`] | [`stream`] |
//! | strings | [`StringCommands`] | [`string`] |
//! | vector indexes | [`VectorCommands`] | [`vector`] |
//! | scans and ranges, page by page | [`IterCommands`] | |
//!
//! Several families share [`expiry`], [`flush`] and [`scan`]. [`coverage`] lists every command with its methods and its page, and
//! [`options`] every option with the place where it is typed.
//! [`Executor::execute`](crate::Executor::execute) sends any other command.
//!
//! # Commands that the REST API does not carry
//!
//! | commands | use instead |
//! | --- | --- |
//! | `BLPOP` and its family, `BLOCK` of `XREAD` and `XREADGROUP` | polling |
//! | `WATCH`, `UNWATCH`, `DISCARD` | a [transaction](crate::Redis::transaction), or a [script](crate::Script) if there is a condition |
//! | `MULTI`, `EXEC` | [`Redis::transaction`](crate::Redis::transaction) |
//! | `AUTH`, `CLIENT`, `HELLO`, `QUIT`, `RESET` | the token and the HTTP client |
//! | `UNSUBSCRIBE`, `PUNSUBSCRIBE` | [`Subscription::unsubscribe`](crate::subscribe::Subscription::unsubscribe), or dropping the subscription |
//!
//! # Which commands are retried
//!
//! The declaration of a command says whether it reads, is idempotent (twice in a row leaves the same data *and* returns
//! the same reply: `SET`, `MSET`, `EXPIRE`) or neither (`INCR`, `DEL`, `SET NX`). [`RetryPolicy`](crate::RetryPolicy)
//! describes the consequences.
//!
//! A retry of an idempotent write can arrive late, and then overwrite what another client wrote in between. Where that
//! matters, and for commands that are neither, [`Request::exactly_once`](crate::Request::exactly_once) makes the server keep
//! the outcome, so that a retry returns it and executes nothing.

#[doc = include_str!("coverage.md")]
pub mod coverage {}

#[doc = include_str!("options.md")]
pub mod options {}

pub mod array;
pub mod bitmap;
mod connection;
pub mod expiry;
pub mod flush;
pub mod function;
pub mod generic;
pub mod geo;
pub mod hash;
mod hyperloglog;
mod info;
mod iter;
pub mod json;
pub mod list;
mod pubsub;
pub mod scan;
pub mod scripting;
pub mod search;
pub mod server;
mod set;
pub mod sorted_set;
pub mod stream;
pub mod string;
pub mod vector;

pub use self::array::ArrayCommands;
pub use self::bitmap::BitmapCommands;
pub use self::connection::ConnectionCommands;
pub use self::function::FunctionCommands;
pub use self::generic::GenericCommands;
pub use self::geo::GeoCommands;
pub use self::hash::HashCommands;
pub use self::hyperloglog::HyperLogLogCommands;
pub use self::iter::IterCommands;
pub use self::json::JsonCommands;
pub use self::list::ListCommands;
pub use self::pubsub::PubSubCommands;
pub use self::scripting::ScriptingCommands;
pub use self::search::SearchCommands;
pub use self::server::ServerCommands;
pub use self::set::SetCommands;
pub use self::sorted_set::SortedSetCommands;
pub use self::stream::StreamCommands;
pub use self::string::StringCommands;
pub use self::vector::VectorCommands;
