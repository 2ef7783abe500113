//! Decoding by the target type.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use bytes::Bytes;

use super::{Reply, Shape};
use crate::error::{Error, ErrorKind, Result};
use crate::wire::number;

/// A type that a reply can be decoded to.
///
/// | type | accepts |
/// | --- | --- |
/// | `()` | the status `OK` |
/// | `bool` | the integers 0 and 1; the texts `0`, `1`, `true`, `false` |
/// | integers | an integer, or text that is one and fits |
/// | floats | an integer, or text that is a number (`inf` and `nan` too) |
/// | `String`, `Box<str>`, `Arc<str>` | a UTF-8 string, or an integer as its digits |
/// | `Bytes` (shares the reply's buffer), `Vec<u8>` | a string of any bytes |
/// | `Option<T>` | nil, or what `T` accepts |
/// | `Vec<T>`, sets, tuples, `[T; N]` | an array |
/// | maps, `Vec<(K, V)>` | a flat array of keys and values, or an array of pairs |
/// | `Uuid`, `Ulid`, with the features `uuid` and `ulid` | their text |
/// | [`Json<T>`](super::Json) | a string of JSON, or an integer |
/// | [`Value`](super::Value) | anything |
///
/// Implement it for your own type to ask for that type:
///
/// ```no_run
/// use redis_rest::{FromReply, Reply, Result};
///
/// struct Celsius(f64);
///
/// impl FromReply for Celsius {
///     fn from_reply(reply: Reply<'_>) -> Result<Self> {
///         f64::from_reply(reply).map(Celsius)
///     }
/// }
///
/// # async fn example(redis: redis_rest::Redis) -> Result<()> {
/// use redis_rest::HashCommands;
///
/// let roof: Option<Celsius> = redis.hget("temperatures", "roof").await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a Redis reply cannot be decoded to `{Self}`",
    label = "not a type that a reply can be decoded to",
    note = "strings, numbers, `bool`, `Bytes`, `Option`, `Vec`, maps, tuples and `Value` can; use `Json<{Self}>` for JSON; implement `FromReply` for your own types",
    note = "if the type is `!`, no type was named: name it, as in `execute::<i64>(..)`; `()` takes the status OK, and `Value` takes any reply"
)]
pub trait FromReply: Sized {
    /// Decodes one value.
    ///
    /// # Errors
    ///
    /// `Decode` if the value has another type ([`Reply::mismatch`] creates that error); `Redis` if it is an error.
    fn from_reply(reply: Reply<'_>) -> Result<Self>;

    /// Returns whether `Option<Self>` is `None` for this reply. By default it is if the reply is nil.
    fn is_absent(reply: Reply<'_>) -> bool {
        reply.is_nil()
    }

    /// Decodes a `Vec` of this type, so that a `Vec<u8>` can be the bytes of a string.
    #[doc(hidden)]
    fn vec_from_reply(reply: Reply<'_>) -> Result<Vec<Self>> {
        reply.array()?.map(Self::from_reply).collect()
    }
}

impl FromReply for () {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match reply.shape() {
            Shape::Bytes(b"OK") => Ok(()),
            _ => Err(reply.mismatch("the status OK")),
        }
    }
}

impl FromReply for bool {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match reply.shape() {
            Shape::Int(1) | Shape::Bytes(b"1" | b"true") => Ok(true),
            Shape::Int(0) | Shape::Bytes(b"0" | b"false") => Ok(false),
            _ => Err(reply.mismatch("a bool")),
        }
    }
}

macro_rules! from_reply_for_integers {
    ($($int:ident)*) => {$(
        impl FromReply for $int {
            fn from_reply(reply: Reply<'_>) -> Result<Self> {
                let decoded = match reply.shape() {
                    Shape::Int(int) => $int::try_from(int).ok(),
                    Shape::Bytes(text) => number::integer(text),
                    _ => None,
                };
                decoded.ok_or_else(|| reply.mismatch(concat!("a number that fits ", stringify!($int))))
            }
        }
    )*};
}

from_reply_for_integers!(i8 i16 i32 i64 isize u16 u32 u64 usize i128 u128);

impl FromReply for u8 {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        u64::from_reply(reply)
            .ok()
            .and_then(|int| u8::try_from(int).ok())
            .ok_or_else(|| reply.mismatch("a number that fits u8"))
    }

    fn vec_from_reply(reply: Reply<'_>) -> Result<Vec<u8>> {
        match reply.shape() {
            Shape::Array(replies) => replies.map(u8::from_reply).collect(),
            _ => reply.bytes().map(<[u8]>::to_vec),
        }
    }
}

macro_rules! from_reply_for_floats {
    ($($float:ident)*) => {$(
        impl FromReply for $float {
            fn from_reply(reply: Reply<'_>) -> Result<Self> {
                let decoded = match reply.shape() {
                    #[expect(clippy::cast_precision_loss, reason = "asking for a float accepts its precision")]
                    Shape::Int(int) => Some(int as $float),
                    Shape::Bytes(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
                    _ => None,
                };
                decoded.ok_or_else(|| reply.mismatch("a number"))
            }
        }
    )*};
}

from_reply_for_floats!(f32 f64);

impl FromReply for String {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match reply.shape() {
            Shape::Int(int) => Ok(int.to_string()),
            _ => reply.text().map(str::to_owned),
        }
    }
}

impl FromReply for Bytes {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        reply.shared_bytes()
    }
}

macro_rules! from_reply_by_string {
    ($($type:ty)*) => {$(
        impl FromReply for $type {
            fn from_reply(reply: Reply<'_>) -> Result<Self> {
                String::from_reply(reply).map(Self::from)
            }
        }
    )*};
}

from_reply_by_string!(Box<str> Arc<str> Cow<'static, str>);

impl<T: FromReply> FromReply for Option<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        if T::is_absent(reply) { Ok(None) } else { T::from_reply(reply).map(Some) }
    }
}

impl<T: FromReply> FromReply for Vec<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        T::vec_from_reply(reply)
    }
}

impl<T: FromReply, const N: usize> FromReply for [T; N] {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let values = reply.array_of::<N>()?.into_iter().map(T::from_reply).collect::<Result<Vec<T>>>()?;
        values.try_into().map_err(|_| reply.mismatch("an array"))
    }
}

impl<T: FromReply + Eq + Hash, S: BuildHasher + Default> FromReply for HashSet<T, S> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        reply.array()?.map(T::from_reply).collect()
    }
}

impl<T: FromReply + Ord> FromReply for BTreeSet<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        reply.array()?.map(T::from_reply).collect()
    }
}

impl<K: FromReply + Eq + Hash, V: FromReply, S: BuildHasher + Default> FromReply for HashMap<K, V, S> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        entries(reply)
    }
}

impl<K: FromReply + Ord, V: FromReply> FromReply for BTreeMap<K, V> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        entries(reply)
    }
}

/// Keys and values: flat as in a reply to HGETALL, or in pairs as in RESP3.
fn entries<K: FromReply, V: FromReply, C: FromIterator<(K, V)>>(reply: Reply<'_>) -> Result<C> {
    let in_pairs = reply.array()?.next().is_some_and(|first| matches!(first.shape(), Shape::Array(_)));
    if in_pairs {
        reply.array()?.map(<(K, V)>::from_reply).collect()
    } else {
        reply.pairs()?.map(|(key, value)| Ok((K::from_reply(key)?, V::from_reply(value)?))).collect()
    }
}

macro_rules! from_reply_for_tuples {
    ($($count:literal: $($T:ident)*;)*) => {$(
        impl<$($T: FromReply),*> FromReply for ($($T,)*) {
            fn from_reply(reply: Reply<'_>) -> Result<Self> {
                let mut values = reply.array_of::<$count>()?.into_iter();
                let mut next = || values.next().ok_or_else(|| Error::new(ErrorKind::Decode, "the reply has too few values"));
                Ok(($($T::from_reply(next()?)?,)*))
            }

            fn vec_from_reply(reply: Reply<'_>) -> Result<Vec<Self>> {
                tuples::<$count, Self>(reply, |mut values| {
                    Ok(($($T::from_reply(values.expect_next()?)?,)*))
                })
            }
        }
    )*};
}

/// Tuples: each an array of its own, or flat as in replies to HGETALL and WITHSCORES in RESP2.
fn tuples<'a, const N: usize, T: FromReply>(
    reply: Reply<'a>,
    mut decode: impl FnMut(super::Replies<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut rest = reply.array()?;
    if rest.clone().next().is_none_or(|first| matches!(first.shape(), Shape::Array(_))) {
        return rest.map(T::from_reply).collect();
    }
    if !rest.len().is_multiple_of(N) {
        return Err(reply.mismatch(&format!("an array of groups of {N}")));
    }
    let mut decoded = Vec::with_capacity(rest.len() / N);
    while rest.len() > 0 {
        decoded.push(decode(rest)?);
        rest.nth(N - 1);
    }
    Ok(decoded)
}

from_reply_for_tuples! {
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
    7: A B C D E F G;
    8: A B C D E F G H;
}
