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

pub mod bitmap;
mod connection;
pub mod expiry;
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
