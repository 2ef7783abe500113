//! What the derive's code calls. Not for people: it changes without notice.

pub use std::borrow::Cow;
pub use std::option::Option::{self, None, Some};
pub use std::primitive::{bool, str, u64};
pub use std::result::Result::{Err, Ok};
pub use std::string::String;

pub use redis_rest::{Error, Result};

#[cfg(feature = "bincode")]
pub use crate::codec::Bincode;
pub use crate::codec::{Base64, Codec, Json, Optional, Text};
pub use crate::field::{Field, Mismatch};
pub use crate::fields::{Content, Embedded, Fields, Kind, Names, Sink, Source};
pub use crate::hash::{FieldRef, HashModel};
pub use crate::key::{GenerateId, Id, IntegerId, KeyPart};
pub use crate::list::ListModel;
pub use crate::stream::StreamModel;

use redis_rest::ErrorKind;

/// How much of a text that does not fit is shown.
const EXCERPT: usize = 32;

/// Writes a field, or clears it and what it was called before.
pub(crate) fn put<C: Codec<T> + ?Sized, T>(
    sink: &mut impl Sink,
    name: &'static str,
    aliases: &[&'static str],
    value: &T,
) -> Result<()> {
    if C::is_absent(value) {
        sink.clear(name);
        for alias in aliases {
            sink.clear(alias);
        }
        return Ok(());
    }
    let mut text = String::new();
    C::encode(value, &mut text).map_err(|source| {
        let message = format!("the {} cannot be encoded: {source}", short_name::<T>());
        Error::new(ErrorKind::InvalidInput, message).with_field(name)
    })?;
    sink.set(name, text, C::KIND);
    Ok(())
}

/// What is wrong with a field that cannot be encoded, for a command to be refused with.
pub(crate) fn describe(error: &Error) -> String {
    match error.field() {
        Some(field) => format!("field {field:?}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

/// Reads a field; `None` when it holds no value.
pub(crate) fn get<C: Codec<T> + ?Sized, T>(name: &'static str, content: Content<'_>) -> Result<Option<T>> {
    let Some(bytes) = content.for_kind(C::KIND) else { return Ok(None) };
    match std::str::from_utf8(bytes) {
        Ok(text) => C::decode(text).map(Some).map_err(|source| mismatch::<T>(text, source).with_field(name)),
        Err(error) => Err(not_utf8::<T>(bytes, error).with_field(name)),
    }
}

/// Reads the text of a field that is there, for `load_field`.
pub(crate) fn get_value<C: Codec<T>, T>(bytes: &[u8]) -> Result<C::Value> {
    match std::str::from_utf8(bytes) {
        Ok(text) => C::decode_value(text).map_err(|source| mismatch::<T>(text, source)),
        Err(error) => Err(not_utf8::<T>(bytes, error)),
    }
}

/// The value of a field that was read, or may be absent.
pub(crate) fn found<C: Codec<T> + ?Sized, T>(name: &'static str, slot: Option<T>) -> Result<T> {
    match slot.or_else(C::absent) {
        Some(value) => Ok(value),
        None => Err(missing::<T>(name)),
    }
}

#[cold]
fn missing<T>(name: &'static str) -> Error {
    let message = format!(
        "missing; expected {}. A field that may be missing is an `Option`, or has a `default`",
        short_name::<T>()
    );
    Error::new(ErrorKind::Decode, message).with_field(name)
}

#[cold]
fn mismatch<T>(text: &str, source: crate::codec::CodecError) -> Error {
    let expected = match source.downcast_ref::<Mismatch>() {
        Some(Mismatch { expected: Some(expected) }) => expected.to_string(),
        _ => short_name::<T>(),
    };
    let error = Error::new(ErrorKind::Decode, format!("expected {expected}, found {}", excerpt(text)));
    if source.is::<Mismatch>() { error } else { error.with_source(source) }
}

#[cold]
fn not_utf8<T>(bytes: &[u8], error: std::str::Utf8Error) -> Error {
    let message = format!("expected {}, found {} bytes that are not UTF-8", short_name::<T>(), bytes.len());
    Error::new(ErrorKind::Decode, message).with_source(error)
}

/// The beginning of a text that does not fit: enough to see what it is.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?} and {} bytes more", text.get(..end).unwrap_or_default(), text.len() - end),
    }
}

/// A type's name without the paths: `Option<String>`.
fn short_name<T>() -> String {
    let full = std::any::type_name::<T>();
    let mut short = String::with_capacity(full.len());
    for segment in full.split_inclusive(['<', '>', ',', ' ', '(', ')', '[', ']', '&', ';']) {
        short.push_str(segment.rsplit("::").next().unwrap_or(segment));
    }
    short
}

/// The name of the variant in the field `tag`.
pub fn variant<'a>(source: impl Source<'a>, tag: &'static str, known: &str) -> Result<&'a str> {
    for field in source.fields() {
        let (name, content) = field?;
        if let (true, Some(value)) = (name == tag.as_bytes(), content.for_kind(Kind::Text)) {
            return std::str::from_utf8(value).map_err(|error| not_utf8::<String>(value, error).with_field(tag));
        }
    }
    let message = format!("missing; expected the variant's name, one of {known}");
    Err(Error::new(ErrorKind::Decode, message).with_field(tag))
}

/// The error for a variant that there is not.
#[cold]
pub fn unknown_variant(tag: &'static str, found: &str, known: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("expected one of {known}, found {}", excerpt(found))).with_field(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_without_their_paths() {
        assert_eq!(short_name::<Option<String>>(), "Option<String>");
        assert_eq!(short_name::<(u8, Vec<std::net::IpAddr>)>(), "(u8, Vec<IpAddr>)");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(excerpt("12x"), "\"12x\"");
        assert_eq!(excerpt(&"é".repeat(40)), format!("{:?} and 16 bytes more", "é".repeat(32)));
    }
}
