//! Fields of a record that its model does not know.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use redis_rest::{Error, ErrorKind, Result};

use super::removed::clear_removed;
use super::upgrade::SCHEMA_FIELD;
use crate::kind::Kind;
use crate::model::{Content, Names, Sink};

/// A type for a field marked `#[redis(unknown)]`: a map of texts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold the fields that a model does not know",
    label = "not a map of texts",
    note = "make it a `BTreeMap<String, String>`, or a `HashMap<String, String>`"
)]
pub trait UnknownFields: Default {
    #[doc(hidden)]
    fn add(&mut self, name: &str, text: &str);

    #[doc(hidden)]
    fn entries(&self) -> impl Iterator<Item = (&str, &str)>;

    // The derive calls these two: as both are methods of this trait, another type is one error, at the field.

    /// Keeps a field that the model does not know. One that is not UTF-8 stays in the hash alone.
    #[doc(hidden)]
    fn keep(&mut self, names: Names, name: &[u8], content: Content<'_>) {
        let text = content.for_kind(Kind::Text).map(std::str::from_utf8);
        if let (Ok(name), Some(Ok(text))) = (std::str::from_utf8(name), text)
            && !is_known(names, name)
        {
            self.add(name, text);
        }
    }

    /// Writes the fields that the model `M` does not know, and removes those that its upgrades have removed. Returns
    /// `InvalidInput` if it does know one.
    #[doc(hidden)]
    fn put<M: 'static>(&self, sink: &mut impl Sink, names: Names, holder: &'static str) -> Result<()> {
        for (name, text) in self.entries() {
            if is_known(names, name) {
                let message = format!("{name:?} is a field of the model itself; remove it from the unknown fields");
                return Err(Error::new(ErrorKind::InvalidInput, message).with_field(holder));
            }
            sink.set_unknown(name, text);
        }
        clear_removed::<M>(sink, self);
        Ok(())
    }
}

impl UnknownFields for BTreeMap<String, String> {
    fn add(&mut self, name: &str, text: &str) {
        self.insert(name.to_owned(), text.to_owned());
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

impl<S: BuildHasher + Default> UnknownFields for HashMap<String, String, S> {
    fn add(&mut self, name: &str, text: &str) {
        self.insert(name.to_owned(), text.to_owned());
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

pub(super) fn is_known(names: Names, name: &str) -> bool {
    name == SCHEMA_FIELD || names.contains(name)
}
