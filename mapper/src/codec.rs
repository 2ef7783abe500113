//! How a field's value becomes text, where the type itself does not say it.

use std::error::Error as StdError;
use std::result::Result as StdResult;

use redis_rest::Result;

use crate::field::Field;
use crate::mismatch;
use crate::model::{Content, Sink};

/// What a field's text is, for formats that distinguish it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number, `NaN` and infinities included.
    Number,
    /// `true` or `false`.
    Bool,
    /// JSON.
    Json,
}

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
///     fn encode(value: &u32, text: &mut String) -> Result<(), CodecError> {
///         text.push_str(&format!("#{value:06x}"));
///         Ok(())
///     }
///
///     fn decode(text: &str) -> Result<u32, CodecError> {
///         Ok(u32::from_str_radix(text.strip_prefix('#').ok_or("it does not begin with #")?, 16)?)
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
    /// What the text is. List elements are JSON objects, in which a number is not a string.
    const KIND: Kind = Kind::Text;

    /// Appends the text of `value`.
    ///
    /// # Errors
    ///
    /// If the value has no text. The command then fails before anything is sent.
    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError>;

    /// Reads a value from its text.
    ///
    /// # Errors
    ///
    /// If the text is not a value of this type.
    fn decode(text: &str) -> StdResult<T, CodecError>;
}

/// How a field of type `T` is stored: what the derive makes of the field's type and attributes.
#[doc(hidden)]
pub trait FieldCodec<T> {
    /// What a field holds if it exists: `T`, or the type inside its `Option`.
    type Value;

    const KIND: Kind;

    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError>;

    fn decode(text: &str) -> StdResult<T, CodecError>;

    fn decode_value(text: &str) -> StdResult<Self::Value, CodecError>;

    /// Whether there is no field for this value.
    fn is_absent(_value: &T) -> bool {
        false
    }

    /// The value if there is no field, if that is allowed.
    fn absent() -> Option<T> {
        None
    }

    /// Writes a field. An absent one is cleared, together with its earlier names.
    fn put(sink: &mut impl Sink, name: &'static str, aliases: &[&'static str], value: &T) -> Result<()> {
        if Self::is_absent(value) {
            sink.clear(name);
            for alias in aliases {
                sink.clear(alias);
            }
            return Ok(());
        }
        let mut text = String::new();
        Self::encode(value, &mut text).map_err(|source| mismatch::not_encodable::<T>(name, source))?;
        sink.set(name, text, Self::KIND);
        Ok(())
    }

    /// Reads a field; `None` if it holds no value.
    fn get(name: &'static str, content: Content<'_>) -> Result<Option<T>> {
        let Some(bytes) = content.for_kind(Self::KIND) else { return Ok(None) };
        read::<T, T>(bytes, Self::decode).map(Some).map_err(|error| error.with_field(name))
    }

    /// Reads the text of a field that exists.
    fn get_value(bytes: &[u8]) -> Result<Self::Value> {
        read::<T, Self::Value>(bytes, Self::decode_value)
    }

    /// The value of a field that was read, or may be absent.
    fn found(name: &'static str, slot: Option<T>) -> Result<T> {
        slot.or_else(Self::absent).ok_or_else(|| mismatch::missing::<T>(name))
    }
}

/// Decodes the text of a field of type `T`.
fn read<T, V>(bytes: &[u8], decode: impl FnOnce(&str) -> StdResult<V, CodecError>) -> Result<V> {
    match std::str::from_utf8(bytes) {
        Ok(text) => decode(text).map_err(|source| mismatch::mismatch::<T>(text, source)),
        Err(error) => Err(mismatch::not_utf8::<T>(bytes, error)),
    }
}

/// A field without a codec: the text of the type itself.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Text {}

impl<T: Field> FieldCodec<T> for Text {
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

/// A field with the codec `C`.
#[doc(hidden)]
#[derive(Debug)]
pub struct With<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> FieldCodec<T> for With<C> {
    type Value = T;

    const KIND: Kind = C::KIND;

    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError> {
        C::encode(value, text)
    }

    fn decode(text: &str) -> StdResult<T, CodecError> {
        C::decode(text)
    }

    fn decode_value(text: &str) -> StdResult<T, CodecError> {
        C::decode(text)
    }
}

/// A field whose type is written `Option<..>`, with the codec `C`. `None` is the absence of the field.
#[doc(hidden)]
#[derive(Debug)]
pub struct OptionalWith<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> FieldCodec<Option<T>> for OptionalWith<C> {
    type Value = T;

    const KIND: Kind = C::KIND;

    fn encode(value: &Option<T>, text: &mut String) -> StdResult<(), CodecError> {
        value.as_ref().map_or(Ok(()), |value| C::encode(value, text))
    }

    fn decode(text: &str) -> StdResult<Option<T>, CodecError> {
        C::decode(text).map(Some)
    }

    fn decode_value(text: &str) -> StdResult<T, CodecError> {
        C::decode(text)
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

/// JSON by serde: `#[redis(json)]`.
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

/// bincode 2 (its standard configuration, by serde) as base64 text: `#[redis(bincode)]`.
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
