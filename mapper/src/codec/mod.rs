//! Codecs: how to store a field whose type is not a [`Field`](crate::Field), or which is stored in a different way.
//!
//! A stored value can be anything, because any program can write it. So the codecs of `json`, `postcard` and `bincode`
//! read within limits: memory in proportion to the stored text, a bounded depth, and a bounded number of elements that
//! take no bytes. A value past a limit is an error.

#[cfg(any(feature = "bincode", feature = "postcard"))]
mod binary;
mod limited;

use std::error::Error as StdError;
use std::fmt::{self, Display, Write as _};
use std::result::Result as StdResult;
use std::str::FromStr;

use serde::de::DeserializeSeed as _;

#[cfg(feature = "bincode")]
pub use self::binary::Bincode;
#[cfg(feature = "postcard")]
pub use self::binary::Postcard;
pub use crate::kind::Kind;
use crate::mismatch::{Mismatch, Reason, short_name};

/// Why a value cannot be encoded or decoded.
pub type CodecError = Box<dyn StdError + Send + Sync>;

/// A way to store values of type `T` as text. A field uses it with `#[redis(with = Path)]`.
///
/// ```no_run
/// use redis_model::ErrorKind;
/// use redis_model::codec::{Codec, CodecError};
/// use redis_model::prelude::*;
///
/// /// Stores a colour as `#rrggbb`.
/// struct Hex;
///
/// impl Codec<u32> for Hex {
///     fn encode(value: &u32, text: &mut String) -> std::result::Result<(), CodecError> {
///         text.push_str(&format!("#{value:06x}"));
///         Ok(())
///     }
///
///     fn decode(text: &str) -> std::result::Result<u32, CodecError> {
///         let digits = text.strip_prefix('#').ok_or("it does not start with #")?;
///         Ok(u32::from_str_radix(digits, 16)?)
///     }
/// }
///
/// #[derive(Debug, RedisModel)]
/// #[redis(prefix = "tag")]
/// struct Tag {
///     #[redis(id)]
///     name: String,
///     #[redis(with = Hex)]
///     colour: u32,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// Tag { name: "sale".into(), colour: 0x336699 }.save(&redis).await?;
/// assert_eq!(redis.hget("tag:sale", "colour").await?, Some("#336699".to_owned()));
///
/// redis.hset("tag:sale", [("colour", "red")]).await?;
/// let error = Tag::load(&redis, "sale").await.unwrap_err();
/// assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("colour")));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a codec for values of type `{T}`",
    label = "the codec of this field does not support its type",
    note = "`json`, `postcard` and `bincode` need a type that implements serde's `Serialize` and `Deserialize`, `text` needs `Display` and `FromStr`, `base64` needs `Vec<u8>`, and `with` needs a codec that implements `Codec<{T}>`",
    note = "to encode the value of any field, use the field's constant: `User::NAME.pair(&name)`"
)]
pub trait Codec<T> {
    /// What the text is. Only lists use it, because their elements are JSON objects.
    const KIND: Kind = Kind::Text;

    /// Appends the text of `value`.
    ///
    /// # Errors
    ///
    /// If the value cannot be encoded. The command then fails with `InvalidInput` before anything is sent.
    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError>;

    /// Reads a value from its text.
    ///
    /// # Errors
    ///
    /// If the text is not a value of this type. The call then fails with `Decode`.
    fn decode(text: &str) -> StdResult<T, CodecError>;
}

/// Stores bytes as base64 text: `#[redis(base64)]`, for `Vec<u8>`.
#[derive(Debug, Clone, Copy)]
pub enum Base64 {}

impl Codec<Vec<u8>> for Base64 {
    fn encode(value: &Vec<u8>, text: &mut String) -> StdResult<(), CodecError> {
        push_base64(value, text);
        Ok(())
    }

    fn decode(text: &str) -> StdResult<Vec<u8>, CodecError> {
        decode_base64(text)
    }
}

fn push_base64(bytes: &[u8], text: &mut String) {
    base64::Engine::encode_string(&base64::engine::general_purpose::STANDARD, bytes, text);
}

fn decode_base64(text: &str) -> StdResult<Vec<u8>, CodecError> {
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).map_err(|error| Reason::of(error).into())
}

/// Stores a value as JSON with serde: `#[redis(json)]`.
#[derive(Debug, Clone, Copy)]
pub enum Json {}

impl<T: serde::Serialize + serde::de::DeserializeOwned> Codec<T> for Json {
    const KIND: Kind = Kind::Json;

    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError> {
        text.push_str(&serde_json::to_string(value)?);
        Ok(())
    }

    fn decode(text: &str) -> StdResult<T, CodecError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let value = limited::read(text.len(), |root| {
            let value = root.deserialize(&mut json)?;
            json.end().map(|()| value)
        });
        Ok(value?)
    }
}

/// Stores a value as its `Display` text, and reads it with `FromStr`: `#[redis(text)]`.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, PartialEq, RedisModel)]
/// #[redis(prefix = "server")]
/// struct Server {
///     #[redis(id)]
///     name: String,
///     #[redis(text)]
///     address: std::net::SocketAddrV6,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let server = Server { name: "eu-1".into(), address: "[::1]:6379".parse().unwrap() };
/// server.save(&redis).await?;
/// assert_eq!(redis.hget("server:eu-1", "address").await?, Some("[::1]:6379".to_owned()));
///
/// redis.hset("server:eu-1", [("address", "localhost")]).await?;
/// let error = Server::load(&redis, "eu-1").await.unwrap_err();
/// assert_eq!(error.field(), Some("address"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub enum DisplayFromStr {}

impl<T: TextField> Codec<T> for DisplayFromStr {
    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError> {
        Ok(value.push_text(text)?)
    }

    fn decode(text: &str) -> StdResult<T, CodecError> {
        Ok(T::from_text(text)?)
    }
}

/// A type that can be stored as text: that of a field with `#[redis(text)]`, or one that derives `RedisModel` with it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` needs `Display` and `FromStr` to be stored as text",
    label = "this type does not implement both",
    note = "`#[redis(text)]` stores a value as its `Display` text, and reads it with `FromStr`, whose error must implement `Display`"
)]
pub trait TextField: Sized {
    fn push_text(&self, text: &mut String) -> fmt::Result;

    fn to_text(&self) -> String;

    fn from_text(text: &str) -> StdResult<Self, Reason>;

    fn decode(text: &str) -> StdResult<Self, Mismatch> {
        Self::from_text(text).map_err(|reason| Mismatch::expected(format!("{} ({reason})", short_name::<Self>())))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Display + FromStr<Err: Display>> TextField for T {
    fn push_text(&self, text: &mut String) -> fmt::Result {
        write!(text, "{self}")
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_text(text: &str) -> StdResult<Self, Reason> {
        text.parse().map_err(Reason::of)
    }
}

#[cfg(test)]
#[cfg(all(feature = "bincode", feature = "postcard"))]
mod tests;
