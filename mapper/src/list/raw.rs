//! Elements as they are stored, for the case that they cannot be read.

use std::error::Error as StdError;
use std::fmt;

use redis_rest::{Error, Reply, Result, Shape};

use super::ListModel;

/// The text of an element that could not be read: the source of the `Decode` error.
///
/// An element that was popped is in no list any more. Its text is here, so that a program can set it aside.
///
/// ```no_run
/// use redis_model::list::RawElement;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(list, prefix = "inbox")]
/// struct Message {
///     body: String,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// redis.rpush("inbox:42", ["not an object"]).await?;
/// let error = Message::list(42).pop_front(&redis).await.unwrap_err();
/// assert_eq!(RawElement::of(&error).map(RawElement::bytes), Some(&b"not an object"[..]));
/// # Ok(())
/// # }
/// ```
pub struct RawElement {
    bytes: Vec<u8>,
    why: Error,
}

impl RawElement {
    /// Returns the element that `error` is about, if it is the error of reading one.
    #[must_use]
    pub fn of(error: &Error) -> Option<&RawElement> {
        StdError::source(error)?.downcast_ref()
    }

    /// Returns the element as it is stored.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl StdError for RawElement {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        StdError::source(&self.why)
    }
}

impl fmt::Display for RawElement {
    /// Shows the length only, because the element may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the element of {} bytes cannot be read", self.bytes.len())
    }
}

impl fmt::Debug for RawElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawElement").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Reads an element. An error keeps its bytes.
pub(super) fn of_bytes<M: ListModel>(bytes: &[u8]) -> Result<M> {
    M::read_element(bytes).map_err(|error| {
        let raw = RawElement { bytes: bytes.to_vec(), why: error.clone() };
        error.with_source(raw)
    })
}

/// Reads an element. An error keeps its bytes.
pub(super) fn read<M: ListModel>(reply: Reply<'_>) -> Result<M> {
    of_bytes(reply.bytes()?)
}

/// Reads an element of the list at `key`. Nil stands for none.
pub(super) fn read_optional<M: ListModel>(reply: Reply<'_>) -> Result<Option<M>> {
    if matches!(reply.shape(), Shape::Nil) { Ok(None) } else { read(reply).map(Some) }
}

/// Reads elements. Nil stands for no elements.
pub(super) fn read_all<M: ListModel>(reply: Reply<'_>) -> Result<Vec<Result<M>>> {
    if matches!(reply.shape(), Shape::Nil) {
        return Ok(Vec::new());
    }
    Ok(reply.array()?.map(read).collect())
}

/// Reads elements of the list at `key`. An error names the element by its position in the reply.
pub(super) fn read_each<M: ListModel>(reply: Reply<'_>, key: &str) -> Result<Vec<Result<M>>> {
    let elements = (0..).zip(read_all::<M>(reply)?);
    Ok(elements.map(|(at, element)| element.map_err(|error| named::<M>(error, at, key))).collect())
}

/// Names the element that cannot be read.
pub(super) fn named<M: ListModel>(error: Error, at: u64, key: &str) -> Error {
    error.about(M::MODEL_NAME, key).context(format!("element {at}"))
}
