//! Types that are one field, as arguments and replies of any command.

use redis_rest::{Arg, Reply, Result, Shape};

use crate::field::Field;
use crate::field_codec::{AsField, FieldCodec};
use crate::mismatch::short_name;

/// Returns the text of `value` as an argument.
pub(crate) fn to_arg<T: Field>(value: &T) -> Arg<'_> {
    if value.is_absent() {
        return Arg::Invalid("`None` is stored as no field, so it is not an argument".into());
    }
    let mut text = String::new();
    value.encode(&mut text);
    Arg::from(text)
}

/// Reads a value from its text, or from an integer such as the reply to `INCR`.
pub(crate) fn from_reply<T: Field<Value = T>>(reply: Reply<'_>) -> Result<T> {
    match reply.shape() {
        Shape::Nil => T::absent().ok_or_else(|| reply.mismatch(&short_name::<T>())),
        Shape::Int(int) => <AsField as FieldCodec<T>>::get_value(int.to_string().as_bytes()),
        Shape::Bytes(bytes) => <AsField as FieldCodec<T>>::get_value(bytes),
        _ => Err(reply.mismatch(&short_name::<T>())),
    }
}
