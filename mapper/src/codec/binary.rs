//! Binary formats of serde, as base64 text.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Codec, CodecError, decode_base64, limited, push_base64};
use crate::mismatch::Reason;

type Result<T> = std::result::Result<T, CodecError>;

/// Stores a value with serde and [postcard](https://docs.rs/postcard) 1, as base64 text: `#[redis(postcard)]`.
///
/// The text is smaller than JSON, and is written and read faster. Like every format without field names, it can be
/// read only by a type with the same fields in the same order. Use `json` if the type may change.
///
/// A value is read back before it is sent, so a value that the type could not load is an error of the write:
///
/// ```
/// use redis_model::prelude::*;
/// use redis_model::redis_rest::Build;
/// # use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Point {
///     x: i32,
///     #[serde(skip_serializing_if = "Option::is_none")] // a format without names cannot leave out a field
///     y: Option<i32>,
/// }
///
/// #[derive(RedisModel)]
/// #[redis(prefix = "shape")]
/// struct Shape {
///     #[redis(id)]
///     id: u64,
///     #[redis(postcard)]
///     corners: Vec<Point>,
/// }
///
/// let corners = vec![Point { x: 1, y: Some(2) }];
/// assert!(Shape { id: 1, corners }.save(Build).validate().is_ok());
///
/// let corners = vec![Point { x: 1, y: None }];
/// let error = Shape { id: 1, corners }.save(Build).validate().unwrap_err();
/// assert!(error.is_invalid_input() && error.field() == Some("corners"));
/// ```
#[cfg(feature = "postcard")]
#[derive(Debug, Clone, Copy)]
pub enum Postcard {}

#[cfg(feature = "postcard")]
impl<T: Serialize + DeserializeOwned> Codec<T> for Postcard {
    fn encode(value: &T, text: &mut String) -> Result<()> {
        encode(&postcard::to_stdvec(value)?, from_postcard::<T>, text)
    }

    fn decode(text: &str) -> Result<T> {
        from_postcard(&decode_base64(text)?)
    }
}

#[cfg(feature = "postcard")]
fn from_postcard<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut postcard = postcard::Deserializer::from_bytes(bytes);
    let value = limited::read(bytes.len(), |root| serde::de::DeserializeSeed::deserialize(root, &mut postcard))?;
    match postcard.finalize() {
        Ok([]) => Ok(value),
        rest => Err(left_over(rest.map_or(0, <[u8]>::len))),
    }
}

/// Stores a value with serde and bincode 2, in its standard configuration, as base64 text: `#[redis(bincode)]`.
///
/// The development of bincode has ended
/// ([RUSTSEC-2025-0141](https://rustsec.org/advisories/RUSTSEC-2025-0141.html)). Use `postcard` for new fields, unless
/// other programs read the field as bincode. A value is read back before it is sent, so a value that the type could
/// not load is an error of the write.
#[cfg(feature = "bincode")]
#[derive(Debug, Clone, Copy)]
pub enum Bincode {}

#[cfg(feature = "bincode")]
impl<T: Serialize + DeserializeOwned> Codec<T> for Bincode {
    fn encode(value: &T, text: &mut String) -> Result<()> {
        encode(&bincode::serde::encode_to_vec(value, bincode::config::standard())?, from_bincode::<T>, text)
    }

    fn decode(text: &str) -> Result<T> {
        from_bincode(&decode_base64(text)?)
    }
}

#[cfg(feature = "bincode")]
fn from_bincode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let (value, read) = limited::read(bytes.len(), |root| {
        bincode::serde::seed_decode_from_slice(root, bytes, bincode::config::standard())
    })?;
    if read == bytes.len() { Ok(value) } else { Err(left_over(bytes.len() - read)) }
}

fn left_over(len: usize) -> CodecError {
    Reason::of(format_args!("{len} bytes are left over")).into()
}

/// Appends the base64 text of `bytes`, if they can be read back. They cannot if the value exceeds a limit, or if its
/// type leaves out fields or asks the format what comes next.
fn encode<T>(bytes: &[u8], decode: fn(&[u8]) -> Result<T>, text: &mut String) -> Result<()> {
    decode(bytes).map_err(|error| format!("it could not be read back: {error}"))?;
    push_base64(bytes, text);
    Ok(())
}
