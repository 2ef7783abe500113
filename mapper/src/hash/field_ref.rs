//! Names of fields as typed constants.

use std::fmt;
use std::marker::PhantomData;

use crate::field_codec::Text;

/// A field of the model `M` with the type `T` and the codec `C`.
///
/// The derive adds one constant for each field of a record: `User::EMAIL` for `email`. Calls such as
/// [`load_field`](crate::HashModel::load_field) take it, and return a value of the field's type.
///
/// ```
/// use redis_model::prelude::*;
///
/// #[derive(RedisModel)]
/// #[redis(prefix = "user", rename_all = "camelCase")]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     full_name: String,
/// }
///
/// assert_eq!(User::FULL_NAME.name(), "fullName");
/// ```
pub struct FieldRef<M, T, C = Text> {
    name: &'static str,
    aliases: &'static [&'static str],
    of: PhantomData<fn(M, T, C)>,
}

impl<M, T, C> FieldRef<M, T, C> {
    #[doc(hidden)]
    pub const fn new(name: &'static str, aliases: &'static [&'static str]) -> Self {
        FieldRef { name, aliases, of: PhantomData }
    }

    /// Returns the field's name in the hash.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    pub(super) const fn aliases(self) -> &'static [&'static str] {
        self.aliases
    }
}

impl<M, T, C> Clone for FieldRef<M, T, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T, C> Copy for FieldRef<M, T, C> {}

impl<M, T, C> fmt::Debug for FieldRef<M, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FieldRef").field(&self.name).finish()
    }
}
