//! Types with named fields, written to a sink and read from a source whatever the shape: hash, list element, event.

use redis_rest::{Error, Pairs, Result};

use crate::codec::Kind;

/// A type with named fields: a record, a list's element, an event, or what is flattened into one.
///
/// Implemented by `#[derive(RedisModel)]`; there is no need to call or implement it.
pub trait Fields: Sized + 'static {
    /// The names of its fields.
    const FIELD_NAMES: Names;

    /// Writes each field.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when a codec cannot encode a field.
    fn write(&self, sink: &mut impl Sink) -> Result<()>;

    /// Reads the fields; those it does not know are left alone.
    ///
    /// # Errors
    ///
    /// `Decode`, naming the field, when one is missing or does not fit.
    fn read<'a>(source: impl Source<'a>) -> Result<Self>;
}

/// Fields for other models to flatten: a struct that derives `RedisModel` with `#[redis(embedded)]`.
#[diagnostic::on_unimplemented(
    message = "the fields of `{Self}` cannot be flattened into a model",
    label = "not an embedded struct",
    note = "derive `RedisModel` with `#[redis(embedded)]` on it, or store it as one field: remove `flatten`, or mark the field `#[redis(json)]`"
)]
pub trait Embedded: Fields {
    // What the derive calls: here, so that a type that is none is one error, at the field.

    #[doc(hidden)]
    const FLATTENED: Names = Self::FIELD_NAMES;

    #[doc(hidden)]
    fn write_flattened(&self, sink: &mut impl Sink) -> Result<()> {
        self.write(sink)
    }

    #[doc(hidden)]
    fn read_flattened<'a>(source: impl Source<'a>) -> Result<Self> {
        Self::read(source)
    }
}

/// The names of a type's fields.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// Its own, and what else they are read from.
    pub own: &'static [&'static str],
    /// Those of what is flattened into it.
    pub flattened: &'static [Names],
}

impl Names {
    /// Whether no name stands twice; for the compiler to check.
    #[doc(hidden)]
    #[must_use]
    pub const fn are_distinct(&self) -> bool {
        self.stand_once_in(self)
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a wrong index is an error")]
    const fn stand_once_in(&self, all: &Names) -> bool {
        let mut at = 0;
        while at < self.own.len() {
            if all.count(self.own[at].as_bytes()) > 1 {
                return false;
            }
            at += 1;
        }
        at = 0;
        while at < self.flattened.len() {
            if !self.flattened[at].stand_once_in(all) {
                return false;
            }
            at += 1;
        }
        true
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a wrong index is an error")]
    const fn count(&self, name: &[u8]) -> usize {
        let mut count = 0;
        let mut at = 0;
        while at < self.own.len() {
            count += same(self.own[at].as_bytes(), name) as usize;
            at += 1;
        }
        at = 0;
        while at < self.flattened.len() {
            count += self.flattened[at].count(name);
            at += 1;
        }
        count
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a wrong index is an error")]
const fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Where fields are written.
pub trait Sink {
    /// A field that is there.
    fn set(&mut self, name: &'static str, text: String, kind: Kind);

    /// A field that is not: the `None` of an `Option`.
    fn clear(&mut self, name: &'static str);
}

/// Where fields are read from, as often as needed.
pub trait Source<'a>: Copy {
    /// The names and contents of all fields.
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>>;
}

/// What a field holds where it is stored.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// Text, which may not be UTF-8.
    Text(&'a [u8]),
    /// A JSON value as it stands, and as text: without the quotes, if it is a string.
    Json {
        /// As it stands.
        raw: &'a str,
        /// As text.
        text: &'a str,
    },
}

impl<'a> Content<'a> {
    /// The text that a codec of this kind reads; `None` when there is no value.
    pub(crate) fn for_kind(self, kind: Kind) -> Option<&'a [u8]> {
        match self {
            Content::Text(text) => Some(text),
            Content::Json { raw, .. } if kind == Kind::Json => Some(raw.as_bytes()),
            Content::Json { raw: "null", .. } => None,
            Content::Json { text, .. } => Some(text.as_bytes()),
        }
    }
}

/// The names and values in a reply to HGETALL, or in an entry of XRANGE: a flat array.
#[derive(Clone, Copy)]
pub(crate) struct FlatReply<'a>(pub(crate) Pairs<'a>);

impl<'a> Source<'a> for FlatReply<'a> {
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>> {
        self.0.map(|(name, value)| Ok::<_, Error>((name.bytes()?, Content::Text(value.bytes()?))))
    }
}
