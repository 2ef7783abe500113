//! Names of fields as typed constants.

use std::fmt;
use std::marker::PhantomData;

use redis_rest::{Arg, ToArg};

use crate::field_codec::{AsField, FieldCodec};
use crate::index::NotIndexed;
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
///
/// `I` is the field's index: [`NotIndexed`], [`Indexed`](crate::hash::Indexed) or [`Unique`](crate::hash::Unique). Queries take only fields that have one.
pub struct FieldRef<M, T, C = AsField, I = NotIndexed> {
    name: &'static str,
    aliases: &'static [&'static str],
    of: PhantomData<fn(M, T, C, I)>,
}

impl<M, T, C, I> FieldRef<M, T, C, I> {
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

impl<M, T, C: FieldCodec<T>, I> FieldRef<M, T, C, I> {
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
impl<M, T, C, I> ToArg for FieldRef<M, T, C, I> {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(self.name)
    }
}

impl<M, T, C, I> Clone for FieldRef<M, T, C, I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T, C, I> Copy for FieldRef<M, T, C, I> {}

impl<M, T, C, I> fmt::Debug for FieldRef<M, T, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FieldRef").field(&self.name).finish()
    }
}

/// The fields of the embedded struct `T` that is flattened into the model `M`.
///
/// The derive adds one constant for each field marked `#[redis(flatten)]`. [`field`](FlattenRef::field) names a field of
/// the embedded struct as one of the model:
///
/// ```
/// use redis_model::prelude::*;
///
/// #[derive(RedisModel)]
/// #[redis(embedded)]
/// struct Place {
///     latitude: f64,
/// }
///
/// #[derive(RedisModel)]
/// #[redis(embedded)]
/// struct Address {
///     #[redis(index)]
///     city: String,
///     #[redis(flatten)]
///     place: Place,
/// }
///
/// #[derive(RedisModel)]
/// #[redis(prefix = "user")]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     #[redis(flatten)]
///     address: Address,
/// }
///
/// assert_eq!(User::ADDRESS.field(Address::CITY).name(), "city");
/// assert_eq!(User::ADDRESS.field(Address::PLACE.field(Place::LATITUDE)).name(), "latitude");
/// ```
pub struct FlattenRef<M, T> {
    of: PhantomData<fn(M, T)>,
}

impl<M, T> FlattenRef<M, T> {
    #[doc(hidden)]
    pub const fn new() -> Self {
        FlattenRef { of: PhantomData }
    }

    /// Returns a field of the embedded struct as a field of the model.
    #[must_use]
    pub const fn field<V, C, I>(self, field: FieldRef<T, V, C, I>) -> FieldRef<M, V, C, I> {
        FieldRef::new(field.name, field.aliases)
    }
}

impl<M, T> Clone for FlattenRef<M, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T> Copy for FlattenRef<M, T> {}

impl<M, T> fmt::Debug for FlattenRef<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlattenRef").finish()
    }
}
