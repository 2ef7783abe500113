//! Brings a record of an earlier schema version up to date before it is read.

use std::fmt::Display;
use std::marker::PhantomData;
use std::result::Result as StdResult;

use redis_rest::{Error, ErrorKind, Result};

use super::stored::StoredFields;
use crate::kind::Kind;
use crate::mismatch::excerpt;
use crate::model::{Content, Source};

/// The field that holds the schema version. No field of such a model may have this name.
pub const SCHEMA_FIELD: &str = ":schema";

/// The version of a record that has no such field: it was written before the model had versions.
const FIRST: u32 = 1;

/// Returns the fields of a record after its upgrade, or `None` if it is of the current version.
///
/// # Errors
///
/// `Decode` if the record is of a later version, or if `upgrade` fails.
pub fn upgrade<'a, E: Display>(
    source: impl Source<'a>,
    current: u32,
    upgrade: impl FnOnce(&mut StoredFields, u32) -> StdResult<(), E>,
) -> Result<Option<StoredFields>> {
    let found = version(source)?;
    if found == current {
        return Ok(None);
    }
    if found > current {
        let message =
            format!("the record has schema version {found}, and this program knows {current}; update the program");
        return Err(Error::new(ErrorKind::Decode, message));
    }
    let mut fields = StoredFields::of(source)?;
    fields.remove(SCHEMA_FIELD);
    upgrade(&mut fields, found).map_err(|reason| {
        let message = format!("the record has schema version {found}, and cannot be upgraded to {current}: {reason}");
        Error::new(ErrorKind::Decode, message)
    })?;
    Ok(Some(fields))
}

fn version<'a>(source: impl Source<'a>) -> Result<u32> {
    for field in source.fields() {
        let (name, content) = field?;
        if let (true, Some(text)) = (name == SCHEMA_FIELD.as_bytes(), content.for_kind(Kind::Text)) {
            let text = String::from_utf8_lossy(text);
            return text.parse().map_err(|_| {
                let message = format!("expected the number of a schema version, found {}", excerpt(&text));
                Error::new(ErrorKind::Decode, message).with_field(SCHEMA_FIELD)
            });
        }
    }
    Ok(FIRST)
}

/// The fields of a record: those of the source, which live for `'a`, or those after its upgrade.
pub struct Upgraded<'u, 'a, S> {
    stored: S,
    upgraded: Option<&'u StoredFields>,
    of: PhantomData<&'a ()>,
}

impl<'u, 'a, S: Source<'a>> Upgraded<'u, 'a, S> {
    /// Creates the source of a record's fields.
    pub fn new(stored: S, upgraded: Option<&'u StoredFields>) -> Self {
        Upgraded { stored, upgraded, of: PhantomData }
    }
}

impl<S: Copy> Clone for Upgraded<'_, '_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Copy> Copy for Upgraded<'_, '_, S> {}

impl<'u, 'a: 'u, S: Source<'a>> Source<'u> for Upgraded<'u, 'a, S> {
    #[expect(clippy::map_identity, reason = "it shortens the lifetime")]
    fn fields(self) -> impl Iterator<Item = Result<(&'u [u8], Content<'u>)>> {
        let stored =
            self.upgraded.is_none().then(|| self.stored.fields().map(|field| -> Result<(&'u [u8], _)> { field }));
        let upgraded = self.upgraded.into_iter().flat_map(StoredFields::iter);
        let upgraded = upgraded.map(|(name, text)| Ok((name, Content::Text(text))));
        stored.into_iter().flatten().chain(upgraded)
    }

    fn runs_hooks(self) -> bool {
        self.stored.runs_hooks()
    }
}
