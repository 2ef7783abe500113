//! Names of fields as typed constants.

use std::fmt;
use std::marker::PhantomData;

use redis_rest::{Arg, ToArg};

use crate::field_codec::{AsField, FieldCodec};
use crate::mismatch;

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
///
/// It is also an argument of the commands on hashes. [`pair`](FieldRef::pair) adds a value, as the field stores it:
///
/// ```no_run
/// # use redis_model::prelude::*;
/// # #[derive(RedisModel)]
/// # #[redis(prefix = "user")]
/// # struct User { #[redis(id)] id: u64, name: String, visits: i64, #[redis(json)] tags: Vec<String> }
/// # async fn example(redis: Redis) -> Result<()> {
/// let key = User::key(42)?;
/// redis.hset(&key, [User::NAME.pair(&"Ada".into()), User::TAGS.pair(&vec!["new".into()])]).await?;
/// let visits: i64 = redis.hincrby(&key, User::VISITS, 1).await?;
/// let name: Option<String> = redis.hget(&key, User::NAME).await?;
/// assert_eq!((visits, name.as_deref()), (1, Some("Ada")));
/// # Ok(())
/// # }
/// ```
pub struct FieldRef<M, T, C = AsField> {
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

impl<M, T, C: FieldCodec<T>> FieldRef<M, T, C> {
    /// Returns the field's name and `value` as the field stores it: a pair for [`hset`](redis_rest::HashCommands::hset)
    /// and its like.
    ///
    /// The command fails as `InvalidInput` before anything is sent if the value cannot be encoded, or if it is `None`,
    /// which is stored as no field: use [`hdel`](redis_rest::HashCommands::hdel).
    #[must_use]
    pub fn pair(self, value: &T) -> (&'static str, Arg<'static>) {
        if C::is_absent(value) {
            let why = format!("field {:?}: `None` is stored as no field; use `hdel` to remove it", self.name);
            return (self.name, Arg::Invalid(why.into()));
        }
        let mut text = String::new();
        match C::encode(value, &mut text) {
            Ok(()) => (self.name, Arg::from(text)),
            Err(source) => (self.name, mismatch::invalid_arg(&mismatch::not_encodable::<T>(self.name, source))),
        }
    }
}

/// The field's name.
impl<M, T, C> ToArg for FieldRef<M, T, C> {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(self.name)
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
