//! The fields of a record as they are stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use redis_rest::Result;

use crate::kind::Kind;
use crate::model::Source;

/// The fields of a stored record, which the function of `#[redis(schema_version = 2, upgrade = function)]` brings up to date
/// before they are read.
///
/// A program of another version may have written fields of the current one. So an upgrade should not overwrite a field that
/// exists: [`rename`](StoredFields::rename) and [`set_if_absent`](StoredFields::set_if_absent) do not.
///
/// ```no_run
/// use redis_model::hash::StoredFields;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, PartialEq, RedisModel)]
/// #[redis(prefix = "user", schema_version = 3, upgrade = upgrade)]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     full_name: String,
///     cents: i64,
/// }
///
/// fn upgrade(user: &mut StoredFields, from: u32) -> std::result::Result<(), &'static str> {
///     if from < 2 {
///         user.rename("name", "full_name");
///     }
///     if from < 3 {
///         let dollars: i64 = user.get("dollars").and_then(|text| text.parse().ok()).ok_or("no number of dollars")?;
///         user.set_if_absent("cents", (dollars * 100).to_string());
///     }
///     Ok(())
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// // Written by the first version of the program.
/// redis.hset("user:42", [("id", "42"), ("name", "Ada"), ("dollars", "7")]).await?;
/// let user = User::load(&redis, 42).await?;
/// assert_eq!(user, Some(User { id: 42, full_name: "Ada".into(), cents: 700 }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFields {
    fields: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The names that the upgrade has removed, also those that it has set again.
    removed: BTreeSet<Vec<u8>>,
}

impl StoredFields {
    /// Returns the text of a field, or `None` if the record does not have it, or if it is not UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.fields.get(name.as_bytes())?).ok()
    }

    /// Returns whether the record has this field.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.fields.contains_key(name.as_bytes())
    }

    /// Sets a field, whether or not it exists.
    pub fn set(&mut self, name: &str, text: impl Into<String>) {
        self.fields.insert(name.into(), text.into().into_bytes());
    }

    /// Sets a field if it does not exist.
    pub fn set_if_absent(&mut self, name: &str, text: impl Into<String>) {
        self.fields.entry(name.into()).or_insert_with(|| text.into().into_bytes());
    }

    /// Removes a field, and returns whether it existed.
    pub fn remove(&mut self, name: &str) -> bool {
        self.take(name).is_some()
    }

    /// Renames a field, and returns whether it existed. If there is a field `to` already, that one remains, and `from` is
    /// removed.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(text) = self.take(from) else { return false };
        self.fields.entry(to.into()).or_insert(text);
        true
    }

    /// Returns the names of the fields, in the order of their bytes. A name that is not UTF-8 is left out.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().filter_map(|name| std::str::from_utf8(name).ok())
    }

    /// Copies the fields of a record.
    pub(super) fn of<'a>(source: impl Source<'a>) -> Result<Self> {
        let mut fields = BTreeMap::new();
        for field in source.fields() {
            let (name, content) = field?;
            if let Some(text) = content.for_kind(Kind::Text) {
                fields.insert(name.to_vec(), text.to_vec());
            }
        }
        Ok(StoredFields { fields, removed: BTreeSet::new() })
    }

    fn take(&mut self, name: &str) -> Option<Vec<u8>> {
        let (name, text) = self.fields.remove_entry(name.as_bytes())?;
        self.removed.insert(name);
        Some(text)
    }

    /// Returns the names of the fields that the upgrade has removed.
    pub(super) fn removed(&self) -> impl Iterator<Item = &str> {
        let gone = self.removed.iter().filter(|name| !self.fields.contains_key(*name));
        gone.filter_map(|name| std::str::from_utf8(name).ok())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|(name, text)| (name.as_slice(), text.as_slice()))
    }
}

/// Shows the names, not the contents: they may be secret.
impl fmt::Debug for StoredFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields.keys().map(|name| String::from_utf8_lossy(name))).finish()
    }
}
