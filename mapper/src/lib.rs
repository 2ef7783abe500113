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
//! let redis = Redis::from_env()?; // UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN
//! let ada = User { id: 42, name: "Ada".into(), bio: None };
//!
//! // HSET user:42 id 42 name Ada, and HDEL user:42 bio, in one request
//! ada.save(&redis).await?;
//! // HGETALL user:42
//! let found: Option<User> = User::load(&redis, 42).await?;
//! assert_eq!(found, Some(ada));
//! # Ok(())
//! # }
//! ```
//!
//! # Deriving
//!
//! `#[derive(RedisModel)]` implements a trait for a struct or an enum. The `#[redis(..)]` attribute of the type selects
//! the trait, and how Redis stores the type:
//!
//! | attribute | stored as | trait |
//! | --- | --- | --- |
//! | `prefix = ".."`, and a field marked `id` | a record: a hash of its own | [`HashModel`] |
//! | `list, prefix = ".."` | an element of typed lists and work queues: a JSON object, or for a newtype a plain value | [`ListModel`] |
//! | `stream, prefix = ".."` | an event of typed logs: an entry of a stream | [`StreamModel`] |
//! | `embedded` | fields of the models that [flatten](derive@RedisModel#embedded-struct) it | [`Embedded`] |
//! | none, on an enum without data or a newtype | one field of a model | [`Field`] |
//! | `text`, on a type that implements `Display` and `FromStr` | one field of a model | [`Field`] |
//!
//! [`RedisModel`](derive@RedisModel) documents all attributes with examples. [`Field`] lists the types that fields can
//! have, [`Id`] the types of ids, and [`Codec`](codec::Codec) shows how to store any other type.
//!
//! This page has the types that calls begin with. The modules [`hash`], [`list`] and [`stream`] have these and the others:
//! options, answers, and what a worker passes to its handler, such as [`hash::SaveOptions`], [`list::JobOptions`],
//! [`stream::AppendOptions`], [`stream::Expected`] and [`stream::Delivered`].
//!
//! # Loading and saving
//!
//! [`HashModel`] loads, inserts, updates, deletes and scans records. [`insert`](HashModel::insert) fails if the record
//! exists, [`update`](HashModel::update) fails if it does not, and [`save`](HashModel::save) writes in both cases.
//! [`load_many`](HashModel::load_many), [`save_many`](HashModel::save_many) and [`delete_many`](HashModel::delete_many) send
//! one request for many records. The last two return [`Each`], a result for each record.
//!
//! # Indexes, patches and units of work
//!
//! Attributes of fields make indexes, unique values and an optimistic lock. Queries, patches and units use the constants
//! of the fields:
//!
//! ```no_run
//! use redis_model::Unit;
//! use redis_model::prelude::*;
//!
//! #[derive(Debug, RedisModel)]
//! #[redis(prefix = "user")]
//! struct User {
//!     #[redis(id)]
//!     id: u64,
//!     #[redis(unique)]
//!     email: String,
//!     #[redis(index)]
//!     age: u8,
//!     visits: i64,
//!     #[redis(version)]
//!     version: u64,
//! }
//!
//! # async fn example(redis: Redis, user: User) -> Result<()> {
//! let ada = User::find_by(&redis, User::EMAIL, "ada@example.org").await?;
//! let page = User::query().range(User::AGE, 18..30).limit(20).fetch(&redis).await?;
//! User::patch(42).set(User::AGE, 31).incr(User::VISITS, 1).exec(&redis).await?;
//! let user = User::modify(&redis, 42, |user| user.visits += 1).await?;
//! Unit::new().insert(&user).delete::<User>(7).commit(&redis).await?; // all or nothing
//! # Ok(())
//! # }
//! ```
//!
//! See [`Query`], [`Patch`], [`Unit`], and the guide [`records`](guide::records): what each call sends, what it costs, and what
//! is guaranteed.
//!
//! # Pipelines, transactions and batches
//!
//! [`ModelCommands`] has the calls of records, such as `load`, `save` and `delete`, as methods of pipelines, transactions and
//! batches, next to those of all commands. Calls of lists and logs take a pipeline as their executor:
//! `log.append(pipeline, &event)` returns the pipeline with the call added. The replies are a typed tuple:
//!
//! ```no_run
//! # use redis_model::prelude::*;
//! # #[derive(RedisModel)]
//! # #[redis(prefix = "user")]
//! # struct User { #[redis(id)] id: u64 }
//! # async fn example(redis: Redis) -> Result<()> {
//! let pipeline = redis.pipeline().load::<User>(42).incr("hits");
//! let (user, hits): (Option<User>, i64) = pipeline.exec().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Use [`transaction`](Redis::transaction) instead of [`pipeline`](Redis::pipeline) to run the commands atomically, and
//! [`batch`](Redis::batch) for loops.
//!
//! # Lists and logs
//!
//! [`ListModel::list`] returns a typed [`List`], and [`StreamModel::log`] returns a typed event [`Log`]:
//!
//! ```no_run
//! use redis_model::prelude::*;
//!
//! #[derive(Debug, RedisModel)]
//! #[redis(list, prefix = "inbox")]
//! struct Message {
//!     body: String,
//! }
//!
//! #[derive(Debug, RedisModel)]
//! #[redis(stream, prefix = "order-events")]
//! enum OrderEvent {
//!     Placed { sku: String },
//!     Paid { cents: i64 },
//! }
//!
//! # async fn example(redis: Redis) -> Result<()> {
//! let length = Message::list(42).push_back(&redis, &Message { body: "hello".into() }).await?;
//! let id = OrderEvent::log(17).append(&redis, &OrderEvent::Paid { cents: 990 }).await?;
//! println!("{length} messages, event {id}");
//! # Ok(())
//! # }
//! ```
//!
//! | type | from | purpose |
//! | --- | --- | --- |
//! | [`List`] | [`ListModel::list`] | elements at both ends, with a largest length if you like |
//! | [`Queue`] | [`ListModel::queue`] | jobs that workers reserve, and that come back if a worker dies |
//! | [`Log`] | [`StreamModel::log`] | events in order; appends [exactly once by a key](stream::AppendOptions::once); a [`Retention`](stream::Retention) |
//! | [`Tail`] | [`Log::tail`] | history, then live entries, without a gap or a duplicate |
//! | [`Group`], [`Worker`] | [`Log::group`] | each event is handled at least once, or exactly once for a [`Unit`] of work |
//! | [`VersionedLog`], [`AggregateLog`] | [`Log::versioned`] | decisions on a version of a state that is made of events |
//! | [`Projection`] | [`Log::projection`] | records that are made of events, each of which counts once |
//!
//! An entry that cannot be read is an error of its own, see [`Entry`]. The guides [`logs`](guide::logs) and
//! [`lists`](guide::lists) tell what is guaranteed, what each call and an idle hour cost, and what happens when something fails.
//!
//! ```no_run
//! use redis_model::prelude::*;
//! # #[derive(Debug, RedisModel)]
//! # #[redis(stream, prefix = "order-events")]
//! # enum OrderEvent { Paid { cents: i64 } }
//! # async fn charge(event: &OrderEvent) -> Result<()> { Ok(()) }
//!
//! # async fn example(redis: Redis) -> Result<()> {
//! // Returns only if it cannot go on. An event that fails 5 times becomes a dead letter.
//! Worker::new(OrderEvent::log(17).group("billing"), "worker-1")
//!     .max_deliveries(5)
//!     .run(&redis, async |delivered| charge(&delivered.event).await)
//!     .await
//! # }
//! ```
//!
//! # Commands
//!
//! Every Redis command of the REST API is a method of the client. [`commands`] has one trait for each family of
//! commands, and the options and replies of each family in a module: [`commands::string::SetOptions`]. The [`prelude`]
//! contains the traits. [`execute`](redis_rest::Executor::execute) runs any other command.
//!
//! ```no_run
//! # use redis_model::prelude::*;
//! # async fn example(redis: Redis) -> Result<()> {
//! redis.set("greeting", "hello").await?;
//! let greeting: Option<String> = redis.get("greeting").await?;
//! let length: i64 = redis.execute(["STRLEN", "greeting"]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Models work with all commands: a list element is an argument (`redis.rpush("jobs", &job)`) and a reply
//! (`redis.lpop::<Job>("jobs")`), an event is what `xreadgroup::<String, OrderEvent>` returns, a record what
//! `hgetall::<User>` returns. So are the types of fields that derive `RedisModel`: ids, newtypes and enums
//! (`redis.sadd("roles", Role::Admin)`). Constants such as `User::NAME` stand for the names of fields:
//!
//! ```no_run
//! # use redis_model::prelude::*;
//! # #[derive(RedisModel)]
//! # #[redis(prefix = "user")]
//! # struct User { #[redis(id)] id: u64, visits: i64 }
//! # async fn example(redis: Redis) -> Result<()> {
//! let visits = redis.hincrby(User::key(42)?, User::VISITS, 1).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Scripts and subscriptions
//!
//! [`Script`](redis_rest::Script) is a Lua script that [`run_script`](redis_rest::ScriptingCommands::run_script) runs.
//! A script is sent in full only when the server does not know it.
//!
//! [`Redis::subscribe`] and [`Redis::psubscribe`] return a stream of the messages of channels; see
//! [`subscribe`](redis_rest::subscribe).
//!
//! # Errors
//!
//! Every call returns the same [`Error`]. Its [`kind`](Error::kind) and its predicates tell failures apart.
//! [`model`](Error::model), [`key`](Error::key) and [`field`](Error::field) name the record, and
//! [`may_have_executed`](Error::may_have_executed) tells whether a write that failed may have been executed.
//!
//! ```no_run
//! # use redis_model::prelude::*;
//! # #[derive(RedisModel)]
//! # #[redis(prefix = "user")]
//! # struct User { #[redis(id)] id: u64 }
//! # async fn example(redis: Redis) -> Result<()> {
//! match (User { id: 42 }).insert(&redis).await {
//!     Ok(()) => println!("created"),
//!     Err(error) if error.is_already_exists() => println!("{:?} is taken", error.key()),
//!     Err(error) if error.may_have_executed() => println!("the outcome is unknown: {error}"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Without async
//!
//! [`blocking::Redis`] has the same calls. They return their result without `.await`; a scan is an iterator:
//!
//! ```no_run
//! # use redis_model::prelude::*;
//! # #[derive(RedisModel)]
//! # #[redis(prefix = "user")]
//! # struct User { #[redis(id)] id: u64 }
//! let redis = blocking::Redis::from_env()?;
//! let user: Option<User> = User::load(&redis, 42)?;
//! for user in User::scan(&redis) {
//!     println!("{}", user?.id);
//! }
//! # Ok::<(), redis_model::Error>(())
//! ```
//!
//! # Platforms
//!
//! Models run on Cloudflare Workers and other WebAssembly, too: see [Platforms](redis_rest::guide::platforms).
//!
//! # Testing
//!
//! The guide [Testing your app](redis_rest::guide::testing) shows how to test code that uses this crate, without the hosted
//! service. [`differences`](redis_rest::guide::differences) lists what such a test cannot show.
//!
//! # Code that is generic over clients
//!
//! Store a [`Redis`] in your structs: command traits cannot be trait objects (`dyn`). A function that is generic over
//! [`Client`] serves the async and the blocking client, and awaits with [`Client::resolve`].
//!
//! # In production
//!
//! * [`redis.check()`](Redis::check) verifies the URL, the token and the encoding, when a program starts.
//! * `User::load(&redis, 42).deadline(..)` limits the time of one call, [`with_deadline`](Redis::with_deadline) that of many.
//! * Each request has a span of the crate `tracing`. [`redis_rest`](redis_rest#tracing) lists its fields.
//! * [Auto-pipelining](redis_rest::RedisBuilder::auto_pipelining) lets concurrent calls share requests.
//!
//! # Features of Cargo
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `tls` | yes | HTTPS with aws-lc |
//! | `tls-ring` | no | HTTPS with ring, for programs that turn `tls` off; read its [price](redis_rest#features-of-cargo) first |
//! | `postcard` | no | fields marked `#[redis(postcard)]`: a small binary format |
//! | `bincode` | no | fields marked `#[redis(bincode)]`. bincode is no longer maintained ([RUSTSEC-2025-0141](https://rustsec.org/advisories/RUSTSEC-2025-0141.html)): prefer `postcard` |
//! | `http2` | no | HTTP/2, if the server supports it |
//! | `hyper` | no | `RedisBuilder::hyper`, a transport with less than half of the instructions for a small request |
//! | `uuid` | no | ids, fields, arguments and replies of the type `uuid::Uuid` |
//! | `ulid` | no | ids, fields, arguments and replies of the type `ulid::Ulid` |
//! | `chrono`, `jiff`, `time` | no | fields of the [dates, times and durations](Field#dates-and-times) of these crates |

// The code of the derive names this crate, also in this crate's own tests.
extern crate self as redis_model;

// A module imports only modules before it:
// kind, mismatch, scripts, key -> index -> model, field, codec -> field_codec, value, value_for, id, pairs, evolution ->
// write, query -> upkeep -> hash, list, stream -> reference, codegen
pub mod codec;
#[doc(hidden)]
pub mod codegen;
mod evolution;
mod failure;
mod field;
mod field_codec;
pub mod guide;
pub mod hash;
mod id;
mod index;
mod key;
mod kind;
pub mod list;
mod millis;
mod mismatch;
pub mod model;
mod once;
mod pace;
mod page_len;
mod pairs;
mod query;
mod reference;
mod scripts;
pub mod stream;
mod upkeep;
mod value;
mod value_for;
mod waiting;
mod write;

pub use redis_model_derive::RedisModel;
#[cfg(not(target_family = "wasm"))]
pub use redis_rest::blocking;
pub use redis_rest::{self, Client, Error, ErrorKind, Redis, Result, commands};

pub use crate::failure::Failure;
pub use crate::field::{Element, Field};
pub use crate::hash::{Committed, Each, HashModel, ModelCommands, Page, Patch, Query, Unit};
pub use crate::id::{GenerateId, Id, IntegerId};
pub use crate::key::KeyPart;
pub use crate::list::{List, ListModel, Queue, QueueWorker};
pub use crate::mismatch::Mismatch;
pub use crate::model::Embedded;
pub use crate::query::Cursor;
pub use crate::reference::Ref;
pub use crate::stream::{
    Aggregate, AggregateLog, Entry, Group, Log, Projection, Since, StreamModel, Tail, VersionedLog, Worker,
};

/// The names that most programs need: the derive, the traits of models, the clients and the traits of commands.
///
/// It exports no type whose name a program is likely to use for something else, such as `Entry` or `Error`. Import
/// these by name.
pub mod prelude {
    pub use redis_rest::commands::stream::StreamId;
    pub use redis_rest::{
        ArrayCommands, BitmapCommands, ConnectionCommands, Executor, FunctionCommands, GenericCommands, GeoCommands,
        HashCommands, HyperLogLogCommands, IterCommands, JsonCommands, ListCommands, PubSubCommands, ScriptingCommands,
        SearchCommands, ServerCommands, SetCommands, SortedSetCommands, StreamCommands, StringCommands, VectorCommands,
    };

    #[cfg(not(target_family = "wasm"))]
    pub use crate::blocking;
    pub use crate::{GenerateId, HashModel, ListModel, ModelCommands, Redis, RedisModel, Result, StreamModel, Worker};
}
