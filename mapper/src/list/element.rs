//! An element as text: a JSON object with one member for each field, a plain value, or what a codec makes of it.

use std::fmt;

use redis_rest::{Error, ErrorKind, Result};
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::codec::Codec;
use crate::field::Field;
use crate::field_codec::{AsField, FieldCodec, With};
use crate::kind::Kind;
use crate::mismatch::{self, short_name};
use crate::model::{Content, Fields, Sink, Source};

/// The text of a JSON object, as far as it is written.
#[derive(Default)]
struct ObjectText(String);

impl Sink for ObjectText {
    fn set(&mut self, name: &'static str, text: String, kind: Kind) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        push_json_text(&mut self.0, name);
        self.0.push(':');
        match kind {
            Kind::Bool if matches!(text.as_str(), "true" | "false") => self.0.push_str(&text),
            Kind::Json if serde_json::from_str::<&RawValue>(&text).is_ok() => self.0.push_str(&text),
            // JSON has no NaN and no infinities: they are strings.
            Kind::Number if serde_json::from_str::<serde_json::Number>(&text).is_ok() => self.0.push_str(&text),
            Kind::Bool | Kind::Json | Kind::Number | Kind::Text => push_json_text(&mut self.0, &text),
        }
    }

    fn clear(&mut self, _: &'static str) {}
}

fn push_json_text(json: &mut String, text: &str) {
    // Serializing a &str cannot fail.
    json.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Returns the JSON object of an element.
pub(crate) fn object_text<M: Fields>(element: &M) -> Result<String> {
    let mut object = ObjectText::default();
    element.write(&mut object)?;
    if object.0.is_empty() {
        object.0.push('{');
    }
    object.0.push('}');
    Ok(object.0)
}

/// Reads the JSON object of an element.
pub(crate) fn read_object<M: Fields>(bytes: &[u8]) -> Result<M> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let members = json.deserialize_map(MembersVisitor).and_then(|members| json.end().map(|()| members));
    let members = members.map_err(|error| {
        let message =
            format!("expected the JSON object of {}, found {} bytes that are not one", short_name::<M>(), bytes.len());
        Error::new(ErrorKind::Decode, message).with_source(error)
    })?;
    M::read(Members(&members))
}

/// Returns the text of an element that is a plain value.
pub(crate) fn value_text<T: Field>(value: &T) -> Result<String> {
    if value.is_absent() {
        return Err(Error::new(ErrorKind::InvalidInput, "`None` has no text, so it cannot be an element"));
    }
    let mut text = String::new();
    value.encode(&mut text);
    Ok(text)
}

/// Reads an element that is a plain value.
pub(crate) fn read_value<T: Field<Value = T>>(bytes: &[u8]) -> Result<T> {
    <AsField as FieldCodec<T>>::get_value(bytes)
}

/// Returns what the codec `C` makes of an element.
pub(crate) fn coded_text<T, C: Codec<T>>(element: &T) -> Result<String> {
    let mut text = String::new();
    C::encode(element, &mut text).map_err(mismatch::element_not_encodable::<T>)?;
    Ok(text)
}

/// Reads what the codec `C` has made of an element.
pub(crate) fn read_coded<T, C: Codec<T>>(bytes: &[u8]) -> Result<T> {
    <With<C> as FieldCodec<T>>::get_value(bytes)
}

/// A member of a JSON object.
struct Member<'de> {
    name: String,
    /// The JSON of the value.
    raw: &'de str,
    /// The value without quotes and escapes, if it is a string.
    text: Option<String>,
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(map.size_hint().unwrap_or(8));
        while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
            let raw = raw.get();
            let text = raw.starts_with('"').then(|| serde_json::from_str(raw)).transpose();
            members.push(Member { name, raw, text: text.map_err(serde::de::Error::custom)? });
        }
        Ok(members)
    }
}

#[derive(Clone, Copy)]
struct Members<'a>(&'a [Member<'a>]);

impl<'a> Source<'a> for Members<'a> {
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>> {
        self.0.iter().map(|Member { name, raw, text }| {
            let text = text.as_deref().unwrap_or(raw);
            Ok((name.as_bytes(), Content::Json { raw, text }))
        })
    }
}
