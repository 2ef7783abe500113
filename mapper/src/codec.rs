//! How a field's value becomes text, where the type itself does not say it.

use std::error::Error as StdError;
use std::result::Result as StdResult;

use redis_rest::Result;

use crate::codegen;
use crate::field::{Field, Mismatch};
use crate::fields::{Content, Kind, Sink};

/// Why a value cannot be encoded or decoded.
pub type CodecError = Box<dyn StdError + Send + Sync>;

/// A way to write values of type `T` as text. A field uses it by `#[redis(with = Path)]`.
///
/// ```
/// use redis_model::codec::{Codec, CodecError};
/// use redis_model::prelude::*;
///
/// /// Colours as `#rrggbb`.
/// struct Hex;
///
/// impl Codec<u32> for Hex {
///     type Value = u32;
///
///     fn encode(value: &u32, text: &mut String) -> Result<(), CodecError> {
///         text.push_str(&format!("#{value:06x}"));
///         Ok(())
///     }
///
///     fn decode(text: &str) -> Result<u32, CodecError> {
///         Ok(u32::from_str_radix(text.strip_prefix('#').ok_or("no # in front")?, 16)?)
///     }
///
///     fn decode_value(text: &str) -> Result<u32, CodecError> {
///         Self::decode(text)
///     }
/// }
///
/// #[derive(RedisModel)]
/// #[redis(prefix = "tag")]
/// struct Tag {
///     #[redis(id)]
///     name: String,
///     #[redis(with = Hex)]
///     colour: u32,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not write values of type `{T}`",
    label = "the field's codec does not know this type",
    note = "`json` and `bincode` take what serde's `Serialize` and `Deserialize` are derived for, `base64` takes `Vec<u8>`, `with` takes a type that implements `Codec<{T}>`"
)]
pub trait Codec<T> {
    /// What a field holds when it is there: `T`, or what is in its `Option`.
    type Value;

    /// What the text is like.
    const KIND: Kind = Kind::Text;

    /// Appends the text.
    ///
    /// # Errors
    ///
    /// When the value has no text; nothing is sent then.
    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError>;

    /// Reads the text.
    ///
    /// # Errors
    ///
    /// When it is no such value.
    fn decode(text: &str) -> StdResult<T, CodecError>;

    /// Reads the text of a field that is there.
    ///
    /// # Errors
    ///
    /// When it is no such value.
    fn decode_value(text: &str) -> StdResult<Self::Value, CodecError>;

    /// Whether there is no field for this value.
    fn is_absent(_value: &T) -> bool {
        false
    }

    /// The value of a field that is not there, if that is allowed.
    fn absent() -> Option<T> {
        None
    }

    // What the derive calls: here, so that a type that does not fit is one error, at the field.

    #[doc(hidden)]
    fn put(sink: &mut impl Sink, name: &'static str, aliases: &[&'static str], value: &T) -> Result<()> {
        codegen::put::<Self, T>(sink, name, aliases, value)
    }

    #[doc(hidden)]
    fn get(name: &'static str, content: Content<'_>) -> Result<Option<T>> {
        codegen::get::<Self, T>(name, content)
    }

    #[doc(hidden)]
    fn found(name: &'static str, slot: Option<T>) -> Result<T> {
        codegen::found::<Self, T>(name, slot)
    }
}

impl StdError for Mismatch {}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.expected.as_deref().unwrap_or("not a value of the type"))
    }
}

/// The text of the type itself: what a field without a codec has.
#[derive(Debug, Clone, Copy)]
pub enum Text {}

impl<T: Field> Codec<T> for Text {
    type Value = T::Value;

    const KIND: Kind = T::KIND;

    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError> {
        value.encode(text);
        Ok(())
    }

    fn decode(text: &str) -> StdResult<T, CodecError> {
        Ok(T::decode(text)?)
    }

    fn decode_value(text: &str) -> StdResult<T::Value, CodecError> {
        Ok(T::decode_value(text)?)
    }

    fn is_absent(value: &T) -> bool {
        value.is_absent()
    }

    fn absent() -> Option<T> {
        T::absent()
    }
}

/// A codec for `Option`: `None` is no field at all. The derive puts it around the codec of a field whose type is
/// written `Option<..>`.
#[derive(Debug)]
pub struct Optional<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> Codec<Option<T>> for Optional<C> {
    type Value = C::Value;

    const KIND: Kind = C::KIND;

    fn encode(value: &Option<T>, text: &mut String) -> StdResult<(), CodecError> {
        value.as_ref().map_or(Ok(()), |value| C::encode(value, text))
    }

    fn decode(text: &str) -> StdResult<Option<T>, CodecError> {
        C::decode(text).map(Some)
    }

    fn decode_value(text: &str) -> StdResult<C::Value, CodecError> {
        C::decode_value(text)
    }

    fn is_absent(value: &Option<T>) -> bool {
        value.is_none()
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }
}

/// Bytes as base64 text: `#[redis(base64)]`, for `Vec<u8>`.
#[derive(Debug, Clone, Copy)]
pub enum Base64 {}

impl Codec<Vec<u8>> for Base64 {
    type Value = Vec<u8>;

    fn encode(value: &Vec<u8>, text: &mut String) -> StdResult<(), CodecError> {
        push_base64(value, text);
        Ok(())
    }

    fn decode(text: &str) -> StdResult<Vec<u8>, CodecError> {
        decode_base64(text)
    }

    fn decode_value(text: &str) -> StdResult<Vec<u8>, CodecError> {
        decode_base64(text)
    }
}

fn push_base64(bytes: &[u8], text: &mut String) {
    base64::Engine::encode_string(&base64::engine::general_purpose::STANDARD, bytes, text);
}

fn decode_base64(text: &str) -> StdResult<Vec<u8>, CodecError> {
    Ok(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text)?)
}

/// JSON by serde: `#[redis(json)]`.
#[derive(Debug, Clone, Copy)]
pub enum Json {}

impl<T: serde::Serialize + serde::de::DeserializeOwned> Codec<T> for Json {
    type Value = T;

    const KIND: Kind = Kind::Json;

    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError> {
        text.push_str(&serde_json::to_string(value)?);
        Ok(())
    }

    fn decode(text: &str) -> StdResult<T, CodecError> {
        Ok(serde_json::from_str(text)?)
    }

    fn decode_value(text: &str) -> StdResult<T, CodecError> {
        Self::decode(text)
    }
}

/// bincode 2 (its standard configuration, by serde) as base64 text: `#[redis(bincode)]`.
#[cfg(feature = "bincode")]
#[derive(Debug, Clone, Copy)]
pub enum Bincode {}

#[cfg(feature = "bincode")]
impl<T: serde::Serialize + serde::de::DeserializeOwned> Codec<T> for Bincode {
    type Value = T;

    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError> {
        push_base64(&bincode::serde::encode_to_vec(value, bincode::config::standard())?, text);
        Ok(())
    }

    fn decode(text: &str) -> StdResult<T, CodecError> {
        let bytes = decode_base64(text)?;
        let (value, read) = bincode::serde::decode_from_slice(&bytes, bincode::config::standard())?;
        if read == bytes.len() { Ok(value) } else { Err(format!("{} bytes are left over", bytes.len() - read).into()) }
    }

    fn decode_value(text: &str) -> StdResult<T, CodecError> {
        Self::decode(text)
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
            round_trip::<Optional<Base64>, _>(&Some(bytes));
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
