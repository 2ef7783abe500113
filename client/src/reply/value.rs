//! A reply of any type, owned.

use bytes::Bytes;

use super::{FromReply, Reply, Shape};
use crate::error::Result;

/// A reply of any type, for commands whose reply has no fixed type.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::{Executor, Value};
///
/// match redis.execute(["FCALL", "my_function", "0"]).await? {
///     Value::Nil => println!("nothing"),
///     Value::Int(number) => println!("{number}"),
///     other => println!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// Nil.
    Nil,
    /// An integer.
    Int(i64),
    /// A string, which can be any bytes, or a status such as `OK`.
    Bytes(Bytes),
    /// An error inside an array. An error on its own is an `Err`.
    Error(String),
    /// An array.
    Array(Vec<Value>),
}

impl From<Reply<'_>> for Value {
    fn from(reply: Reply<'_>) -> Self {
        match reply.shape() {
            Shape::Nil => Value::Nil,
            Shape::Int(int) => Value::Int(int),
            Shape::Bytes(_) => Value::Bytes(reply.shared_bytes().unwrap_or_default()),
            Shape::Error(text) => Value::Error(text.to_owned()),
            Shape::Array(replies) => {
                // `collect` would make room for four values at least.
                let mut values = Vec::with_capacity(replies.len());
                values.extend(replies.map(Value::from));
                Value::Array(values)
            }
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
