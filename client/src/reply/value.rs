//! A reply of any type, on its own.

use bytes::Bytes;

use super::{FromReply, Reply, Shape};
use crate::error::Result;

/// A reply as it came, for commands whose reply has no fixed type.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::{Executor, Value};
///
/// let reply: Value = redis.execute(["OBJECT", "ENCODING", "key"]).await?;
/// println!("{reply:?}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing.
    Nil,
    /// An integer.
    Int(i64),
    /// A string or a status, any bytes.
    Bytes(Bytes),
    /// An error within an array; an error alone is an `Err`.
    Error(String),
    /// Values in a row.
    Array(Vec<Value>),
}

impl From<Reply<'_>> for Value {
    fn from(reply: Reply<'_>) -> Self {
        match reply.shape() {
            Shape::Nil => Value::Nil,
            Shape::Int(int) => Value::Int(int),
            Shape::Bytes(_) => Value::Bytes(reply.shared_bytes().unwrap_or_default()),
            Shape::Error(text) => Value::Error(text.to_owned()),
            Shape::Array(replies) => Value::Array(replies.map(Value::from).collect()),
        }
    }
}

impl FromReply for Value {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match reply.shape() {
            Shape::Error(_) => Err(reply.mismatch("a value")),
            _ => Ok(Value::from(reply)),
        }
    }
}
