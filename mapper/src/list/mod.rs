//! Typed lists: a Redis list at `prefix:key`. Each element is a JSON object, a plain value, or the text of a codec.

mod bounds;
mod change;
pub(crate) mod element;
mod pages;
mod push;
mod queue;
mod raw;
mod typed;

use redis_rest::{Arg, FromReply, Reply, Result, ToArg};

pub use self::push::PushOptions;
pub use self::queue::{
    DeadJob, FailedAttempt, JobCounters, JobCounts, JobNotice, JobOptions, Nack, Nacked, Pushed, Queue, QueueStats,
    QueueWorker, Recovered, Reserved, Ticket, WorkerJob,
};
pub use self::raw::RawElement;
pub use self::typed::List;
use crate::key::KeyPart;
use crate::mismatch::invalid_arg;

/// An element of typed lists.
///
/// Derive it with [`RedisModel`](derive@crate::RedisModel) and `#[redis(list, prefix = "..")]`. The type decides how an
/// element is stored:
///
/// | type | an element is |
/// | --- | --- |
/// | a struct or an enum | a JSON object of its fields. The variant of an enum is the field `event`, or the one that `tag = ".."` names |
/// | a newtype: `struct Tag(String)` | a plain value: the text of the inner type |
/// | any type, with `text` | its `Display` text |
/// | any type, with `json`, `postcard`, `bincode`, `base64` or `with = Codec` | the text of the [codec](crate::codec) |
///
/// With `max_len = 100`, each push keeps the newest 100 elements.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(list, prefix = "inbox")]
/// struct Message {
///     from: String,
///     stars: u8,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let inbox = Message::list(42);  // the Redis list at `inbox:42`
/// let message = Message { from: "ada".into(), stars: 3 };
/// assert_eq!(inbox.push_back(&redis, &message).await?, 1);
/// assert_eq!(redis.lindex("inbox:42", 0).await?, Some(r#"{"from":"ada","stars":3}"#.to_owned()));
///
/// assert_eq!(inbox.pop_front(&redis).await?, Some(message));
/// assert_eq!(inbox.pop_front(&redis).await?, None);
/// # Ok(())
/// # }
/// ```
///
/// An element is also an argument and a reply of the commands on lists:
///
/// ```no_run
/// # use redis_model::commands::list::ListSide;
/// # use redis_model::prelude::*;
/// # #[derive(Debug, Clone, PartialEq, RedisModel)]
/// # #[redis(list, prefix = "inbox")]
/// # struct Message { from: String, stars: u8 }
/// # async fn example(redis: Redis) -> Result<()> {
/// // A message is in one of the two lists at any time. A work queue does more: see `ListModel::queue`.
/// let inbox = Message::list(42);
/// inbox.push_back(&redis, &Message { from: "ada".into(), stars: 3 }).await?;
/// let message = redis.lmove::<Message>(inbox.key(), "in-work", ListSide::Left, ListSide::Right).await?;
/// if let Some(message) = message {
///     println!("{}", message.from);
///     redis.lrem("in-work", 1, &message).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub trait ListModel: FromReply + ToArg + Sized + 'static {
    /// The name of the type, for errors.
    const MODEL_NAME: &'static str;

    /// The first part of each key, without the separator.
    const KEY_PREFIX: &'static str;

    /// The number of elements that a list keeps. With `None`, it keeps all elements.
    const MAX_LEN: Option<u64>;

    /// Returns the text of an element.
    #[doc(hidden)]
    fn element_text(&self) -> Result<String>;

    /// Reads an element.
    #[doc(hidden)]
    fn read_element(bytes: &[u8]) -> Result<Self>;

    /// Returns the list at `prefix:key`. Nothing is sent.
    fn list(key: impl KeyPart) -> List<Self> {
        List::new(&key.to_key_part())
    }

    /// Returns the work queue at `prefix:key`. Nothing is sent. Its jobs are elements of this type; `max_len` does not
    /// apply.
    fn queue(key: impl KeyPart) -> Queue<Self> {
        Queue::new(key)
    }
}

/// Returns an element as an argument.
pub(crate) fn to_arg<M: ListModel>(element: &M) -> Arg<'_> {
    match element.element_text() {
        Ok(text) => Arg::from(text),
        Err(error) => invalid_arg(&error),
    }
}

/// Reads an element. An error keeps what was read.
pub(crate) fn from_reply<M: ListModel>(reply: Reply<'_>) -> Result<M> {
    raw::read(reply)
}
