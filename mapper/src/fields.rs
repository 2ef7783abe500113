//! Types with named fields, written to a sink and read from a source whatever the shape: hash, list element, event.

use redis_rest::{Error, Reply, Result};

/// A type with named fields: a record, a list's element, an event, or what is flattened into one.
///
/// Implemented by `#[derive(RedisModel)]`; there is no need to call or implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fields of its own",
    label = "nothing to flatten",
    note = "derive `RedisModel` with `#[redis(embedded)]` on it, or store it as one field: remove `flatten`, or mark the field `#[redis(json)]`"
)]
pub trait Fields: Sized + 'static {
    /// The names of its own fields, without flattened ones.
    const NAMES: &'static [&'static str];

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

/// What a field's text is like, for formats that tell the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number, `NaN` and infinities included.
    Number,
    /// `true` or `false`.
    Bool,
    /// JSON.
    Json,
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
    /// The names and texts of all fields.
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], &'a [u8])>>;
}

/// The names and values of HGETALL and XRANGE: a flat array.
#[derive(Clone, Copy)]
pub(crate) struct FlatReply<'a>(Reply<'a>);

impl<'a> FlatReply<'a> {
    pub(crate) fn new(reply: Reply<'a>) -> Result<Self> {
        drop(reply.pairs()?);
        Ok(FlatReply(reply))
    }
}

impl<'a> Source<'a> for FlatReply<'a> {
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], &'a [u8])>> {
        let pairs = self.0.pairs().into_iter().flatten();
        pairs.map(|(name, value)| Ok::<_, Error>((name.bytes()?, value.bytes()?)))
    }
}
