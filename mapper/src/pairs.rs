//! Fields as pairs of a name and a text: what `HSET` and `XADD` take, and what `HGETALL` and `XRANGE` return.

use redis_rest::{Pairs, Result};

use crate::kind::Kind;
use crate::model::{Content, Sink, Source};

/// The fields to write, and the names of the fields to remove.
#[derive(Debug, Clone, Default)]
pub(crate) struct FieldPairs {
    pub(crate) set: Vec<(&'static str, String)>,
    pub(crate) cleared: Vec<&'static str>,
    /// Those of `cleared` that are earlier names: each with the name of its field before it.
    pub(crate) aliases: Vec<(&'static str, &'static str)>,
    /// The columns of the fields that are in an index, in the order of the layout.
    pub(crate) columns: Vec<(&'static str, String)>,
    /// The fields to write that the model does not know.
    pub(crate) unknown: Vec<(String, String)>,
    /// Whether the record's hooks do not run.
    skips_hooks: bool,
}

impl FieldPairs {
    /// Takes a record as it is, without its hooks.
    pub(crate) fn without_hooks() -> Self {
        FieldPairs { skips_hooks: true, ..FieldPairs::default() }
    }

    /// Returns how many fields are written.
    pub(crate) fn len(&self) -> usize {
        self.set.len() + self.unknown.len()
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let unknown = self.unknown.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        self.set.iter().map(|(name, text)| (*name, text.as_str())).chain(unknown)
    }
}

impl Sink for FieldPairs {
    fn set(&mut self, name: &'static str, text: String, _: Kind) {
        self.set.push((name, text));
    }

    fn clear(&mut self, name: &'static str) {
        self.cleared.push(name);
    }

    fn clear_alias(&mut self, name: &'static str, alias: &'static str) {
        self.clear(alias);
        self.aliases.push((name, alias));
    }

    fn set_unknown(&mut self, name: &str, text: &str) {
        self.unknown.push((name.to_owned(), text.to_owned()));
    }

    fn runs_hooks(&self) -> bool {
        !self.skips_hooks
    }

    fn column(&mut self, name: &'static str, text: impl FnOnce() -> Result<String>) -> Result<()> {
        self.columns.push((name, text()?));
        Ok(())
    }
}

/// The names and texts in a reply.
#[derive(Clone, Copy)]
pub(crate) struct ReplyPairs<'a>(pub(crate) Pairs<'a>);

impl<'a> Source<'a> for ReplyPairs<'a> {
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>> {
        self.0.map(|(name, value)| Ok((name.bytes()?, Content::Text(value.bytes()?))))
    }
}

/// The names and texts in the outcome of a write.
#[derive(Clone, Copy)]
pub(crate) struct OutcomePairs<'a>(pub(crate) &'a [(Vec<u8>, Option<Vec<u8>>)]);

impl<'a> Source<'a> for OutcomePairs<'a> {
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>> {
        self.0.iter().filter_map(|(name, text)| Some(Ok((name.as_slice(), Content::Text(text.as_deref()?)))))
    }
}
