//! Typed lists: a Redis list at `prefix:key`, each element a JSON object.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use redis_rest::{Build, Command, Error, ErrorKind, Executor, ListCommands, Reply, Result};
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::codec::Kind;
use crate::key::{Key, KeyPart};
use crate::model::{Content, Fields, Sink, Source};

/// An element of typed lists, stored as a JSON object of its fields.
///
/// Implemented by `#[derive(RedisModel)]` with `#[redis(list, prefix = "..")]`, on a struct or on an enum, whose
/// variant is the field `event` or what `tag = ".."` says.
///
/// ```
/// use redis_model::prelude::*;
/// use redis_model::redis_rest::Build;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(list, prefix = "inbox")]
/// struct Message {
///     from: String,
///     stars: u8,
/// }
///
/// let message = Message { from: "ada".into(), stars: 3 };
/// let args = Message::list(42).push_back(Build, &message).args();
/// assert_eq!(args, ["RPUSH", "inbox:42", r#"{"from":"ada","stars":3}"#]);
/// ```
pub trait ListModel: Fields {
    /// The type's name, for errors.
    const MODEL_NAME: &'static str;

    /// What the keys begin with, without the separator.
    const KEY_PREFIX: &'static str;

    /// The list at `prefix:key`.
    fn list(key: impl KeyPart) -> List<Self> {
        List { key: Key::new(Self::MODEL_NAME, Self::KEY_PREFIX, &key.to_key_part()), of: PhantomData }
    }
}

/// A list of `M`s; made by [`ListModel::list`]. Naming it sends nothing.
pub struct List<M> {
    key: Key,
    of: PhantomData<fn(M) -> M>,
}

impl<M: ListModel> List<M> {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// Adds an element behind the last, and gives the new length. `RPUSH`, O(1).
    pub fn push_back<E: Executor>(&self, executor: E, element: &M) -> E::Out<u64> {
        executor.submit(self.push("RPUSH", [element]))
    }

    /// Adds elements behind the last, in order and all at once, and gives the new length. `RPUSH`, O(n).
    pub fn push_back_many<'m, E: Executor>(
        &self,
        executor: E,
        elements: impl IntoIterator<Item = &'m M>,
    ) -> E::Out<u64> {
        executor.submit(self.push("RPUSH", elements))
    }

    /// Adds an element before the first, and gives the new length. `LPUSH`, O(1).
    pub fn push_front<E: Executor>(&self, executor: E, element: &M) -> E::Out<u64> {
        executor.submit(self.push("LPUSH", [element]))
    }

    /// Adds elements before the first, one after the other, so that the last comes first, and gives the new length.
    /// `LPUSH`, O(n).
    pub fn push_front_many<'m, E: Executor>(
        &self,
        executor: E,
        elements: impl IntoIterator<Item = &'m M>,
    ) -> E::Out<u64> {
        executor.submit(self.push("LPUSH", elements))
    }

    /// Takes the first element; `None` when the list is empty. `LPOP`, O(1). An element that cannot be read is an error,
    /// and taken all the same.
    pub fn pop_front<E: Executor>(&self, executor: E) -> E::Out<Option<M>> {
        executor.submit(self.key.check(Build.lpop::<String>(self.key())).decode_with(read_optional::<M>))
    }

    /// Takes the last element; `None` when the list is empty. `RPOP`, O(1). An element that cannot be read is an error,
    /// and taken all the same.
    pub fn pop_back<E: Executor>(&self, executor: E) -> E::Out<Option<M>> {
        executor.submit(self.key.check(Build.rpop::<String>(self.key())).decode_with(read_optional::<M>))
    }

    /// The element at `index`; negative counts from the end, -1 being the last. `LINDEX`, O(n) in the index.
    pub fn get<E: Executor>(&self, executor: E, index: i64) -> E::Out<Option<M>> {
        executor.submit(self.key.check(Build.lindex::<String>(self.key(), index)).decode_with(read_optional::<M>))
    }

    /// The elements of a range of indexes; negative ones count from the end. `LRANGE`, O(n).
    ///
    /// ```
    /// # use redis_model::prelude::*;
    /// # use redis_model::redis_rest::Build;
    /// # #[derive(RedisModel)]
    /// # #[redis(list, prefix = "inbox")]
    /// # struct Message { from: String }
    /// let inbox = Message::list(42);
    /// assert_eq!(inbox.range(Build, ..).args(), ["LRANGE", "inbox:42", "0", "-1"]);
    /// assert_eq!(inbox.range(Build, 0..10).args(), ["LRANGE", "inbox:42", "0", "9"]);
    /// assert_eq!(inbox.range(Build, -3..).args(), ["LRANGE", "inbox:42", "-3", "-1"]);
    /// ```
    pub fn range<E: Executor>(&self, executor: E, range: impl RangeBounds<i64>) -> E::Out<Vec<M>> {
        let (start, stop) = bounds(&range);
        let command = self.key.check(Build.lrange::<String>(self.key(), start, stop));
        executor.submit(command.decode_with(|reply| {
            let elements = reply.array()?.enumerate();
            elements
                .map(|(at, element)| read_element(element).map_err(|error| error.context(format!("element {at}"))))
                .collect()
        }))
    }

    /// How many elements there are. `LLEN`, O(1).
    pub fn len<E: Executor>(&self, executor: E) -> E::Out<u64> {
        executor.submit(self.key.check(Build.llen(self.key())))
    }

    /// Removes all elements, and says whether there were any. `DEL`, O(n).
    pub fn clear<E: Executor>(&self, executor: E) -> E::Out<bool> {
        executor.execute(self.key.push_to(Command::write("DEL")))
    }

    fn push<'m>(&self, name: &'static str, elements: impl IntoIterator<Item = &'m M>) -> Command<u64> {
        let mut texts = Vec::new();
        for element in elements {
            match write_element(element) {
                Ok(text) => texts.push(text),
                Err(error) => return self.key.push_to(Command::write(name)).fail(error).reply(),
            }
        }
        self.key.push_to(Command::write(name)).one_or_more("element", texts).reply()
    }
}

impl<M> Clone for List<M> {
    fn clone(&self) -> Self {
        List { key: self.key.clone(), of: PhantomData }
    }
}

impl<M> fmt::Debug for List<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("key", &self.key.as_str()).finish_non_exhaustive()
    }
}

/// A Rust range as the inclusive one of LRANGE.
fn bounds(range: &impl RangeBounds<i64>) -> (i64, i64) {
    const EMPTY: (i64, i64) = (1, 0);
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        // Behind the last element there is nothing; one more would be 0, the first.
        Bound::Excluded(-1) => return EMPTY,
        Bound::Excluded(&start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    match range.end_bound() {
        Bound::Unbounded => (start, -1),
        Bound::Included(&end) => (start, end),
        // Before the first element there is nothing; one less would be -1, the last.
        Bound::Excluded(0) => EMPTY,
        Bound::Excluded(&end) => (start, end.saturating_sub(1)),
    }
}

/// A JSON object in the making.
struct Object(String);

impl Sink for Object {
    fn set(&mut self, name: &'static str, text: String, kind: Kind) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        push_json_text(&mut self.0, name);
        self.0.push(':');
        match kind {
            Kind::Bool if matches!(text.as_str(), "true" | "false") => self.0.push_str(&text),
            Kind::Json if serde_json::from_str::<&RawValue>(&text).is_ok() => self.0.push_str(&text),
            // JSON has no NaN and no infinities: those are text.
            Kind::Number if serde_json::from_str::<serde_json::Number>(&text).is_ok() => self.0.push_str(&text),
            Kind::Bool | Kind::Json | Kind::Number | Kind::Text => push_json_text(&mut self.0, &text),
        }
    }

    fn clear(&mut self, _: &'static str) {}
}

fn push_json_text(json: &mut String, text: &str) {
    // A &str always serializes.
    json.push_str(&serde_json::to_string(text).unwrap_or_default());
}

fn write_element<M: ListModel>(element: &M) -> Result<String> {
    let mut object = Object(String::new());
    element.write(&mut object)?;
    if object.0.is_empty() {
        object.0.push('{');
    }
    object.0.push('}');
    Ok(object.0)
}

fn read_optional<M: ListModel>(reply: Reply<'_>) -> Result<Option<M>> {
    if reply.is_nil() { Ok(None) } else { read_element(reply).map(Some) }
}

fn read_element<M: ListModel>(reply: Reply<'_>) -> Result<M> {
    let bytes = reply.bytes()?;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let fields =
        json.deserialize_map(ObjectVisitor).and_then(|fields| json.end().map(|()| fields)).map_err(|error| {
            let message =
                format!("expected the JSON object of {}, found {} bytes that are none", M::MODEL_NAME, bytes.len());
            Error::new(ErrorKind::Decode, message).with_source(error)
        })?;
    M::read(ObjectFields(&fields))
}

/// An object's members: each one's name, its JSON as it stands, and its text, if it is a string.
struct ObjectVisitor;

type Member<'de> = (String, &'de str, Option<String>);

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(map.size_hint().unwrap_or(8));
        while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
            let json = raw.get();
            let text = json.starts_with('"').then(|| serde_json::from_str(json)).transpose();
            fields.push((name, json, text.map_err(serde::de::Error::custom)?));
        }
        Ok(fields)
    }
}

#[derive(Clone, Copy)]
struct ObjectFields<'a>(&'a [Member<'a>]);

impl<'a> Source<'a> for ObjectFields<'a> {
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>> {
        self.0.iter().map(|(name, raw, text)| {
            let text = text.as_deref().unwrap_or(raw);
            Ok((name.as_bytes(), Content::Json { raw, text }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_inclusive_in_redis() {
        assert_eq!(bounds(&(..)), (0, -1));
        assert_eq!(bounds(&(0..0)), (1, 0));
        assert_eq!(bounds(&(2..=4)), (2, 4));
        assert_eq!(bounds(&(..-1)), (0, -2));
        assert_eq!(bounds(&(-5..-2)), (-5, -3));
        assert_eq!(bounds(&(Bound::Excluded(-1), Bound::Unbounded)), (1, 0));
    }
}
