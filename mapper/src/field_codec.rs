//! What connects a field of a model to its text. The derive names it; people write a [`Field`] or a [`Codec`].

use std::marker::PhantomData;
use std::result::Result as StdResult;

use redis_rest::Result;

use crate::codec::{Codec, CodecError};
use crate::field::Field;
use crate::kind::Kind;
use crate::mismatch;
use crate::model::{Content, Sink};

/// How a field of type `T` is stored. The derive selects it from the field's type and attributes.
#[doc(hidden)]
pub trait FieldCodec<T> {
    /// What a field holds if it exists: `T`, or the type inside its `Option`.
    type Value;

    const KIND: Kind;

    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError>;

    fn decode(text: &str) -> StdResult<T, CodecError>;

    fn decode_value(text: &str) -> StdResult<Self::Value, CodecError>;

    /// Returns whether this value is stored as no field.
    fn is_absent(_value: &T) -> bool {
        false
    }

    /// Returns the value of a field that does not exist, or `None` if it must exist.
    fn absent() -> Option<T> {
        None
    }

    /// Writes a field. An absent field is removed, and so are its aliases.
    fn put(sink: &mut impl Sink, name: &'static str, aliases: &[&'static str], value: &T) -> Result<()> {
        if Self::is_absent(value) {
            sink.clear(name);
            for alias in aliases {
                sink.clear_alias(name, alias);
            }
            return Ok(());
        }
        let mut text = String::new();
        Self::encode(value, &mut text).map_err(|source| mismatch::not_encodable::<T>(name, source))?;
        sink.set(name, text, Self::KIND);
        Ok(())
    }

    /// Reads a field. Returns `None` if it holds no value.
    fn get(name: &'static str, content: Content<'_>) -> Result<Option<T>> {
        let Some(bytes) = content.for_kind(Self::KIND) else { return Ok(None) };
        read::<T, T>(bytes, Self::decode).map(Some).map_err(|error| error.with_field(name))
    }

    /// Reads the text of a field that exists.
    fn get_value(bytes: &[u8]) -> Result<Self::Value> {
        read::<T, Self::Value>(bytes, Self::decode_value)
    }

    /// Returns the value of a field that was read, or the value of an absent field.
    fn found(name: &'static str, slot: Option<T>) -> Result<T> {
        slot.or_else(Self::absent).ok_or_else(|| mismatch::missing::<T>(name))
    }

    /// Returns the id of a record that was read. It can be neither optional nor given a default.
    fn found_id(name: &'static str, slot: Option<T>) -> Result<T> {
        slot.ok_or_else(|| mismatch::missing_id::<T>(name))
    }
}

/// Decodes the text of a field of type `T`.
fn read<T, V>(bytes: &[u8], decode: impl FnOnce(&str) -> StdResult<V, CodecError>) -> Result<V> {
    match std::str::from_utf8(bytes) {
        Ok(text) => decode(text).map_err(|source| mismatch::mismatch::<T>(text, source)),
        Err(error) => Err(mismatch::not_utf8::<T>(bytes, error)),
    }
}

/// A field without a codec: its type is a [`Field`].
#[derive(Debug, Clone, Copy)]
pub enum AsField {}

impl<T: Field> FieldCodec<T> for AsField {
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
#[derive(Debug)]
pub struct With<C>(PhantomData<C>);

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

/// A field with the codec `C` whose type is written `Option<..>`. `None` is stored as no field.
#[derive(Debug)]
pub struct OptionalWith<C>(PhantomData<C>);

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
