//! Codecs: how to store a field whose type is not a [`Field`](crate::Field), or which is stored in a different way.

use std::error::Error as StdError;
use std::result::Result as StdResult;

pub use crate::kind::Kind;

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
    note = "`json` and `bincode` need a type that implements serde's `Serialize` and `Deserialize`, `base64` needs `Vec<u8>`, and `with` needs a codec that implements `Codec<{T}>`"
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
    Ok(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text)?)
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
        Ok(serde_json::from_str(text)?)
    }
}

/// Stores a value with serde and bincode 2, in its standard configuration, as base64 text: `#[redis(bincode)]`.
#[cfg(feature = "bincode")]
#[derive(Debug, Clone, Copy)]
pub enum Bincode {}

#[cfg(feature = "bincode")]
impl<T: serde::Serialize + serde::de::DeserializeOwned> Codec<T> for Bincode {
    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError> {
        push_base64(&bincode::serde::encode_to_vec(value, bincode::config::standard())?, text);
        Ok(())
    }

    fn decode(text: &str) -> StdResult<T, CodecError> {
        let bytes = decode_base64(text)?;
        let (value, read) = bincode::serde::decode_from_slice(&bytes, bincode::config::standard())?;
        if read == bytes.len() { Ok(value) } else { Err(format!("{} bytes are left over", bytes.len() - read).into()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip<C: Codec<T>, T: PartialEq + std::fmt::Debug>(value: &T) {
        let mut text = String::new();
        C::encode(value, &mut text).unwrap();
        assert_eq!(&C::decode(&text).unwrap(), value);
    }

    proptest! {
        #[test]
        fn codecs_read_what_they_write(bytes: Vec<u8>, pairs: Vec<(String, Option<i64>)>) {
            round_trip::<Base64, _>(&bytes);
            round_trip::<Json, _>(&pairs);
            round_trip::<Bincode, _>(&pairs);
        }

        #[test]
        fn any_text_is_decoded_or_refused(text: String) {
            let _ = <Bincode as Codec<Vec<String>>>::decode(&text);
            let _ = <Json as Codec<Vec<String>>>::decode(&text);
            let _ = <Base64 as Codec<Vec<u8>>>::decode(&text);
        }
    }

    #[test]
    fn a_lying_length_takes_no_memory() {
        let mut text = String::new();
        push_base64(&[253, 255, 255, 255, 255, 255, 255, 255, 255], &mut text);
        assert!(<Bincode as Codec<Vec<u64>>>::decode(&text).is_err());
    }
}
