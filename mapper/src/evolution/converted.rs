//! Fields whose type has changed.

use std::fmt::Display;
use std::marker::PhantomData;
use std::result::Result as StdResult;

use crate::codec::CodecError;
use crate::field::Field;
use crate::field_codec::FieldCodec;
use crate::kind::Kind;
use crate::mismatch::Reason;

/// How a model converts its field at the position `FIELD` from the type that it had.
pub trait Convert<const FIELD: usize> {
    /// The type that the field had.
    type Old: Field;

    /// The type of the field, without `Option`.
    type New;

    /// Converts a value.
    ///
    /// # Errors
    ///
    /// If it has no equivalent.
    fn convert(old: Self::Old) -> StdResult<Self::New, CodecError>;
}

/// Calls the function of `#[redis(from = Old, convert = function)]`.
///
/// # Errors
///
/// That of the function.
pub fn convert<O, N, E: Display>(old: O, convert: impl FnOnce(O) -> StdResult<N, E>) -> StdResult<N, CodecError> {
    convert(old).map_err(|error| Reason::of(error).into())
}

/// A field of the model `M` with the codec `C`, which is read as its old type if it cannot be read otherwise.
#[derive(Debug)]
pub struct Converted<C, M, const FIELD: usize>(PhantomData<fn(C, M)>);

impl<T, C, M, const FIELD: usize> FieldCodec<T> for Converted<C, M, FIELD>
where
    C: FieldCodec<T>,
    M: Convert<FIELD, New = C::Value>,
    T: From<C::Value>,
{
    type Value = C::Value;

    const KIND: Kind = C::KIND;

    fn encode(value: &T, text: &mut String) -> StdResult<(), CodecError> {
        C::encode(value, text)
    }

    fn decode(text: &str) -> StdResult<T, CodecError> {
        C::decode(text).or_else(|error| Ok(T::from(from_old::<M, FIELD>(text, error)?)))
    }

    fn decode_value(text: &str) -> StdResult<C::Value, CodecError> {
        C::decode_value(text).or_else(|error| from_old::<M, FIELD>(text, error))
    }

    fn is_absent(value: &T) -> bool {
        C::is_absent(value)
    }

    fn absent() -> Option<T> {
        C::absent()
    }
}

/// Reads a text as the old type. `error` is why it is not of the new one.
fn from_old<M: Convert<FIELD>, const FIELD: usize>(text: &str, error: CodecError) -> StdResult<M::New, CodecError> {
    match M::Old::decode(text) {
        Ok(old) => M::convert(old),
        Err(_) => Err(error),
    }
}
