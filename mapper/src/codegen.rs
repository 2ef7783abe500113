//! The names that the code of the derive uses. They are not public API, and change without notice.

pub use std::borrow::Cow;
pub use std::option::Option::{self, None, Some};
pub use std::primitive::{bool, str, u8, u64};
pub use std::result::Result::{Err, Ok};
pub use std::string::String;

pub use redis_rest::{Arg, Error, FromReply, Reply, Result, ToArg};

#[cfg(feature = "bincode")]
pub use crate::codec::Bincode;
#[cfg(feature = "postcard")]
pub use crate::codec::Postcard;
pub use crate::codec::{Base64, Codec, CodecError, DisplayFromStr, Json, Kind, TextField};
pub use crate::evolution::{
    Convert, Converted, SCHEMA_FIELD, UnknownFields, Upgraded, convert, remember_removed, upgrade,
};
pub use crate::field::{Element, Field};
pub use crate::field_codec::{AsField, FieldCodec, OptionalWith, With};
pub use crate::hash::{FieldRef, FlattenRef, HashModel, Version};
pub use crate::id::{GenerateId, Id, IntegerId};
pub use crate::index::{ColumnKind, IndexField, IndexValue, Indexed, IsIndexed, LayoutBuilder, NotIndexed, Unique};
pub use crate::key::KeyPart;
pub use crate::list::ListModel;
pub use crate::mismatch::Mismatch;
pub use crate::model::{Content, Embedded, Fields, Names, Sink, Source, VariantFields};
pub use crate::stream::{StreamModel, UnknownVariant, VersionedModel};

use std::fmt::Display;

use redis_rest::ErrorKind;

use crate::{hash, index, list, mismatch, stream, value};

/// Writes the column of a field that is in an index.
pub fn put_column(
    sink: &mut impl Sink,
    name: &'static str,
    text: impl FnOnce() -> std::result::Result<String, &'static str>,
) -> Result<()> {
    sink.column(name, || text().map_err(|why| mismatch::not_indexable(name, why)))
}

/// Returns a copy of a record as its hook has changed it.
pub fn before_save<M: HashModel + Clone>(record: &M, hook: impl FnOnce(&mut M)) -> Result<M> {
    let mut copy = record.clone();
    hook(&mut copy);
    if M::Id::key_part(copy.id().as_ref()) == M::Id::key_part(record.id().as_ref()) {
        return Ok(copy);
    }
    let message = "`before_save` has changed the id, and the key is that of the other id; change it before the write";
    Err(Error::new(ErrorKind::InvalidInput, message).with_field(M::ID_FIELD))
}

/// Refuses a record that its hook does not accept.
pub fn validate<M, E: Display>(record: &M, hook: impl FnOnce(&M) -> std::result::Result<(), E>) -> Result<()> {
    hook(record).map_err(|reason| Error::new(ErrorKind::InvalidInput, format!("the record is not valid: {reason}")))
}

/// Appends the text of a field to an index.
pub fn push_index_text<T: Field>(value: &T, out: &mut String) -> std::result::Result<(), &'static str> {
    let mut text = String::new();
    value.encode(&mut text);
    index::push_text(&text, out)
}

/// Returns whether a field that is in an index has an entry for each of several values. A compound index takes no such
/// field, nor one of an embedded struct that has no index there.
pub const fn holds_many<M, T: IndexField, C, I: IsIndexed>(_: FieldRef<M, T, C, I>) -> bool {
    T::MANY
}

/// Returns a field as an argument.
pub fn field_to_arg<T: Field>(value: &T) -> Arg<'_> {
    value::to_arg(value)
}

/// Reads a field from a reply.
pub fn field_from_reply<T: Field<Value = T>>(reply: Reply<'_>) -> Result<T> {
    value::from_reply(reply)
}

/// Reads a record from a reply to HGETALL.
pub fn record_from_reply<M: Fields>(reply: Reply<'_>) -> Result<M> {
    if hash::is_no_record(reply) {
        return Err(Error::new(ErrorKind::NotFound, "there is no record; ask for an `Option`, which is then `None`"));
    }
    hash::from_reply(reply)
}

/// Returns whether a reply to HGETALL means that there is no record.
pub fn is_no_record(reply: Reply<'_>) -> bool {
    hash::is_no_record(reply)
}

/// Returns an element of a list as an argument.
pub fn element_to_arg<M: ListModel>(element: &M) -> Arg<'_> {
    list::to_arg(element)
}

/// Reads an element of a list from a reply.
pub fn element_from_reply<M: ListModel>(reply: Reply<'_>) -> Result<M> {
    list::from_reply(reply)
}

/// Returns the JSON object of an element.
pub fn object_text<M: Fields>(element: &M) -> Result<String> {
    list::element::object_text(element)
}

/// Reads the JSON object of an element.
pub fn read_object<M: Fields>(bytes: &[u8]) -> Result<M> {
    list::element::read_object(bytes)
}

/// Returns the text of an element that is a plain value.
pub fn value_text<T: Field>(element: &T) -> Result<String> {
    list::element::value_text(element)
}

/// Reads an element that is a plain value.
pub fn read_value<T: Field<Value = T>>(bytes: &[u8]) -> Result<T> {
    list::element::read_value(bytes)
}

/// Returns what the codec `C` makes of an element.
pub fn coded_text<T, C: Codec<T>>(element: &T) -> Result<String> {
    list::element::coded_text::<T, C>(element)
}

/// Reads what the codec `C` has made of an element.
pub fn read_coded<T, C: Codec<T>>(bytes: &[u8]) -> Result<T> {
    list::element::read_coded::<T, C>(bytes)
}

/// Reads an event from the fields of an entry.
pub fn event_from_reply<M: Fields>(reply: Reply<'_>) -> Result<M> {
    stream::from_reply(reply)
}

/// Returns the name of the variant in the field `tag`.
pub fn variant<'a>(source: impl Source<'a>, tag: &'static str, known: &str) -> Result<&'a str> {
    let mut found = None;
    for field in source.fields() {
        let (name, content) = field?;
        if name == tag.as_bytes()
            && let Some(value) = content.for_kind(Kind::Text)
            && found.replace(value).is_some()
        {
            return Err(mismatch::duplicate_field(tag));
        }
    }
    match found {
        Some(value) => {
            std::str::from_utf8(value).map_err(|error| mismatch::not_utf8::<String>(value, error).with_field(tag))
        }
        None => {
            let message = format!("missing; expected the variant's name, one of {known}");
            Err(Error::new(ErrorKind::Decode, message).with_field(tag))
        }
    }
}

/// Returns the error about a field that an event or an element has twice.
pub fn duplicate_field(name: &'static str) -> Error {
    mismatch::duplicate_field(name)
}

/// Returns the error about appending a variant that stands for unknown ones.
pub fn not_written(variant: &'static str) -> Error {
    stream::not_written(variant)
}

/// Returns the error about a variant that the model does not have.
pub fn unknown_variant(tag: &'static str, found: &str, known: &str) -> Error {
    mismatch::unknown_variant(tag, found, known)
}
