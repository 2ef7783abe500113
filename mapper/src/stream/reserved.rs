//! Fields of entries that are this crate's own. Their names begin with `:`, which the derive refuses in the names of fields, so an
//! event has none of them.

use redis_rest::Result;

use crate::model::{Content, Source};

/// The part of the key of the log that an event in the category stream comes from.
pub(super) const LOG: &str = ":log";

/// The version that the event made, in the category stream.
pub(super) const VERSION: &str = ":version";

/// The fields of an entry that are those of its event.
#[derive(Clone, Copy)]
pub(super) struct WithoutReserved<S>(pub(super) S);

impl<'a, S: Source<'a>> Source<'a> for WithoutReserved<S> {
    fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>> {
        self.0.fields().filter(|field| !matches!(field, Ok((name, _)) if name.starts_with(b":")))
    }

    fn runs_hooks(self) -> bool {
        self.0.runs_hooks()
    }
}
