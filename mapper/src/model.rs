//! How the derive connects a type with named fields to its stored form: a hash, a JSON object or an entry of a stream.
//!
//! Programs do not need this module. It is for libraries that are generic over models, and for reading the code that
//! the derive generates: [`Fields`] writes the fields of a value to a [`Sink`], and reads them from a [`Source`].

use redis_rest::Result;

use crate::index::LayoutBuilder;
use crate::kind::Kind;

/// A type with named fields: a record, a list element, an event, or a struct that is flattened into one of them.
///
/// Implemented by `#[derive(RedisModel)]`. There is no need to implement it, or to call its methods.
pub trait Fields: Sized + 'static {
    /// The names of the fields.
    const FIELD_NAMES: Names;

    /// Adds the columns and the indexes of the fields.
    #[doc(hidden)]
    fn describe_fields(_layout: &mut LayoutBuilder) {}

    /// Writes each field.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a codec cannot encode a field.
    fn write(&self, sink: &mut impl Sink) -> Result<()>;

    /// Reads the fields. Unknown fields are ignored.
    ///
    /// # Errors
    ///
    /// `Decode` if a field is missing or does not fit its type. The error names the field.
    fn read<'a>(source: impl Source<'a>) -> Result<Self>;
}

/// A struct whose fields other models flatten into their own: one that derives `RedisModel` with `#[redis(embedded)]`.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(embedded)]
/// struct Address {
///     city: String,
/// }
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(prefix = "customer")]
/// struct Customer {
///     #[redis(id)]
///     id: u64,
///     #[redis(flatten)]
///     address: Address,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let customer = Customer { id: 7, address: Address { city: "Izmir".into() } };
/// customer.save(&redis).await?;
/// assert_eq!(redis.hget("customer:7", "city").await?, Some("Izmir".to_owned()));
/// assert_eq!(Customer::load(&redis, 7).await?, Some(customer));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "the fields of `{Self}` cannot be flattened into a model",
    label = "not an embedded struct",
    note = "derive `RedisModel` with `#[redis(embedded)]` on it, or store it as one field: remove `flatten`, or replace it with `json`"
)]
pub trait Embedded: Fields {
    // The derive calls these instead of those of `Fields`: a type that is not embedded is then one error, at the field.

    #[doc(hidden)]
    const FLATTENED: Names = Self::FIELD_NAMES;

    #[doc(hidden)]
    fn describe_flattened(layout: &mut LayoutBuilder) {
        Self::describe_fields(layout);
    }

    #[doc(hidden)]
    fn write_flattened(&self, sink: &mut impl Sink) -> Result<()> {
        self.write(sink)
    }

    #[doc(hidden)]
    fn read_flattened<'a>(source: impl Source<'a>) -> Result<Self> {
        Self::read(source)
    }
}

/// The type of a variant's one unnamed field. The derive requires this trait instead of [`Embedded`], so that the error
/// message is about variants.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the unnamed field of a variant",
    label = "name this field, or use an embedded struct",
    note = "a variant of a list or stream can be `Variant`, `Variant {{ field: Type, .. }}`, or `Variant(Struct)` with a struct that derives `RedisModel` with `#[redis(embedded)]`",
    note = "for a single value, name the field: `Variant {{ value: {Self} }}`; the name is that of the stored field"
)]
pub trait VariantFields: Sized {
    const NAMES: Names;

    fn write_variant(&self, sink: &mut impl Sink) -> Result<()>;

    fn read_variant<'a>(source: impl Source<'a>) -> Result<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: Embedded> VariantFields for T {
    const NAMES: Names = T::FIELD_NAMES;

    fn write_variant(&self, sink: &mut impl Sink) -> Result<()> {
        self.write(sink)
    }

    fn read_variant<'a>(source: impl Source<'a>) -> Result<Self> {
        Self::read(source)
    }
}

/// The names of a type's fields.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// The names of its own fields, and their aliases.
    pub own: &'static [&'static str],
    /// The names of the structs that are flattened into it.
    pub flattened: &'static [Names],
}

impl Names {
    /// Returns the names of all fields.
    pub(crate) fn all(self) -> Box<dyn Iterator<Item = &'static str>> {
        let flattened = self.flattened.iter().flat_map(|names| names.all());
        Box::new(self.own.iter().copied().chain(flattened))
    }

    /// Returns whether one of the names is this one.
    pub(crate) fn contains(self, name: &str) -> bool {
        self.own.contains(&name) || self.flattened.iter().any(|names| names.contains(name))
    }

    /// Returns whether no name appears twice. The derive evaluates it at compile time.
    #[doc(hidden)]
    #[must_use]
    pub const fn are_distinct(&self) -> bool {
        self.appear_once_in(self)
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a wrong index is an error")]
    const fn appear_once_in(&self, all: &Names) -> bool {
        let mut at = 0;
        while at < self.own.len() {
            if all.count(self.own[at].as_bytes()) > 1 {
                return false;
            }
            at += 1;
        }
        at = 0;
        while at < self.flattened.len() {
            if !self.flattened[at].appear_once_in(all) {
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
            count += equal(self.own[at].as_bytes(), name) as usize;
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
const fn equal(left: &[u8], right: &[u8]) -> bool {
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

/// A destination of fields.
pub trait Sink {
    /// Writes a field.
    fn set(&mut self, name: &'static str, text: String, kind: Kind);

    /// Removes a field: the value is `None`.
    fn clear(&mut self, name: &'static str);

    /// Removes what stands under an earlier name of a field that is removed.
    fn clear_alias(&mut self, _name: &'static str, alias: &'static str) {
        self.clear(alias);
    }

    /// Writes a field that the model does not know. Only records have such fields.
    fn set_unknown(&mut self, _name: &str, _text: &str) {}

    /// Returns whether the record is written by the program, so that its hooks run.
    fn runs_hooks(&self) -> bool {
        true
    }

    /// Writes the column of a field that is in an index. Only records have indexes, so only they call `text`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the value cannot be in an index.
    fn column(&mut self, _name: &'static str, _text: impl FnOnce() -> Result<String>) -> Result<()> {
        Ok(())
    }
}

/// A source of fields, which can be read several times.
pub trait Source<'a>: Copy {
    /// Returns the names and contents of all fields.
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>>;

    /// Returns whether the record is loaded by the program, so that its hook runs.
    fn runs_hooks(self) -> bool {
        true
    }
}

/// A source whose record is for this crate alone. Its hooks do not run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WithoutHooks<S>(pub(crate) S);

impl<'a, S: Source<'a>> Source<'a> for WithoutHooks<S> {
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>> {
        self.0.fields()
    }

    fn runs_hooks(self) -> bool {
        false
    }
}

/// The stored content of a field.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// Text. It may not be valid UTF-8.
    Text(&'a [u8]),
    /// A JSON value.
    Json {
        /// The JSON of the value.
        raw: &'a str,
        /// The text of the value. For a string, that is the text without quotes and escapes.
        text: &'a str,
    },
}

impl<'a> Content<'a> {
    /// Returns the text that a codec of this kind reads, or `None` if there is no value.
    pub(crate) fn for_kind(self, kind: Kind) -> Option<&'a [u8]> {
        match self {
            Content::Text(text) => Some(text),
            Content::Json { raw, .. } if kind == Kind::Json => Some(raw.as_bytes()),
            Content::Json { raw: "null", .. } => None,
            Content::Json { text, .. } => Some(text.as_bytes()),
        }
    }
}
