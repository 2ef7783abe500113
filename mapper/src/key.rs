//! Keys: a model's prefix, the separator, and what tells one record, list or log from another.

use std::borrow::Cow;
use std::num::{NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64};

use redis_rest::{Command, Error, ErrorKind, Result};

/// What stands between the parts of a key.
pub(crate) const SEPARATOR: char = ':';

/// The type of a record's id: the field that is marked `#[redis(id)]`.
///
/// Integers, `String`, and with their features `Uuid` and `Ulid` are ids; so is a newtype of one that derives
/// `RedisModel` with `#[redis(id)]`. In a key an id is neither empty nor contains the separator `:`; one that does is
/// refused before anything is sent.
///
/// ```
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(id)]
/// struct OrderId(u64);
///
/// #[derive(RedisModel)]
/// #[redis(prefix = "order")]
/// struct Order {
///     #[redis(id)]
///     id: OrderId,
/// }
///
/// assert_eq!(Order::key(&OrderId(7))?, "order:7");
/// # Ok::<(), redis_model::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id of a record",
    label = "not an id",
    note = "integers and `String` are ids, `Uuid` and `Ulid` with the features of their names; for a newtype of one, derive `RedisModel` with `#[redis(id)]` on it"
)]
pub trait Id: Sized + Send + Sync + 'static {
    /// How an id is passed: integers by value, `String` as `&str`, others by reference.
    type Ref<'a>: Copy;

    /// This id, to be passed.
    fn as_ref(&self) -> Self::Ref<'_>;

    /// The id as it stands in a key.
    fn key_part<'a>(id: Self::Ref<'a>) -> Cow<'a, str>;

    /// The id that stands in a key; `None` when it is none.
    fn from_key_part(part: &str) -> Option<Self>;
}

/// How the id of the model `M` is passed: `u64`, `&str`, `&OrderId`.
pub type IdRef<'a, M> = <<M as crate::HashModel>::Id as Id>::Ref<'a>;

/// An id that can be made here, without asking the database: `Uuid` (version 7) and `Ulid`.
///
/// ```
/// # #[cfg(feature = "ulid")] {
/// use redis_model::GenerateId;
///
/// assert_ne!(<ulid::Ulid as GenerateId>::generate(), <ulid::Ulid as GenerateId>::generate());
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "ids of type `{Self}` cannot be made without the database",
    note = "`Uuid` and `Ulid` can, with the features of their names; for integers use `next_id`, which asks the database"
)]
pub trait GenerateId: Id {
    /// A new id that no other call anywhere gives.
    fn generate() -> Self;
}

/// An id that the database can count up.
pub trait IntegerId: Id {
    /// The id of this count; `None` when it does not fit.
    fn from_count(count: i64) -> Option<Self>;
}

/// Ids that are small, and their own text.
macro_rules! ids_by_value {
    ($($(#[$gate:meta])? $type:ty),*) => {$(
        $(#[$gate])?
        impl Id for $type {
            type Ref<'a> = $type;

            fn as_ref(&self) -> $type {
                *self
            }

            fn key_part<'a>(id: Self::Ref<'a>) -> Cow<'a, str> {
                Cow::Owned(id.to_string())
            }

            fn from_key_part(part: &str) -> Option<Self> {
                part.parse().ok()
            }
        }
    )*};
}

ids_by_value! {
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64,
    #[cfg(feature = "uuid")] uuid::Uuid,
    #[cfg(feature = "ulid")] ulid::Ulid
}

macro_rules! integer_ids {
    ($($int:ty)*) => {$(
        impl IntegerId for $int {
            fn from_count(count: i64) -> Option<Self> {
                <$int>::try_from(count).ok()
            }
        }
    )*};
    ($($non_zero:ident of $int:ident),*) => {$(
        impl IntegerId for $non_zero {
            fn from_count(count: i64) -> Option<Self> {
                $non_zero::new($int::try_from(count).ok()?)
            }
        }
    )*};
}

integer_ids! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }
integer_ids! { NonZeroI32 of i32, NonZeroI64 of i64, NonZeroU32 of u32, NonZeroU64 of u64 }

impl Id for String {
    type Ref<'a> = &'a str;

    fn as_ref(&self) -> &str {
        self
    }

    fn key_part<'a>(id: Self::Ref<'a>) -> Cow<'a, str> {
        Cow::Borrowed(id)
    }

    fn from_key_part(part: &str) -> Option<Self> {
        Some(part.to_owned())
    }
}

#[cfg(feature = "uuid")]
impl GenerateId for uuid::Uuid {
    fn generate() -> Self {
        uuid::Uuid::now_v7()
    }
}

#[cfg(feature = "ulid")]
impl GenerateId for ulid::Ulid {
    fn generate() -> Self {
        ulid::Ulid::generate()
    }
}

/// What tells one list or log of a model from another: text, a number, an [`Id`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    note = "text, integers, `Uuid` and `Ulid` can"
)]
pub trait KeyPart {
    /// The part as it stands in a key.
    fn to_key_part(&self) -> Cow<'_, str>;
}

impl KeyPart for str {
    fn to_key_part(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl KeyPart for String {
    fn to_key_part(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl<T: KeyPart + ?Sized> KeyPart for &T {
    fn to_key_part(&self) -> Cow<'_, str> {
        (**self).to_key_part()
    }
}

macro_rules! key_parts {
    ($($(#[$gate:meta])? $type:ty),*) => {$(
        $(#[$gate])?
        impl KeyPart for $type {
            fn to_key_part(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }
        }
    )*};
}

key_parts! {
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64,
    #[cfg(feature = "uuid")] uuid::Uuid,
    #[cfg(feature = "ulid")] ulid::Ulid
}

/// The key of a record, a list or a log. Naming one cannot fail; a command with a malformed key fails before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    model: &'static str,
    text: String,
    problem: Option<&'static str>,
}

impl Key {
    pub(crate) fn new(model: &'static str, prefix: &str, part: &str) -> Self {
        let problem = if part.is_empty() {
            Some("the id is empty; give each record, list and log an id of its own")
        } else if part.contains(SEPARATOR) {
            Some("the id contains `:`, which separates the parts of a key; use another character in ids")
        } else {
            None
        };
        Key { model, text: format!("{prefix}{SEPARATOR}{part}"), problem }
    }

    /// The key, whether or not it is well-formed.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn checked(self) -> Result<String> {
        match self.problem {
            None => Ok(self.text),
            Some(why) => Err(Error::new(ErrorKind::InvalidInput, why).about(self.model, self.text)),
        }
    }

    /// Adds the key to `command`, as its next argument.
    pub(crate) fn push_to<R>(&self, command: Command<R>) -> Command<R> {
        self.check(command.arg(&self.text))
    }

    /// Names the model and the key in the errors of `command`, and makes it fail if the key is malformed.
    pub(crate) fn check<R>(&self, command: Command<R>) -> Command<R> {
        let command = command.about(self.model, self.text.as_str());
        match self.problem {
            Some(why) => command.reject(why),
            None => command,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_prefix_and_part() {
        let key = |part| Key::new("User", "user", part).checked();
        assert_eq!(key("42").unwrap(), "user:42");
        assert!(key("").unwrap_err().message().contains("empty"));
        assert!(key("unique:email").unwrap_err().message().contains("separates"));
    }

    #[test]
    fn ids_come_back_from_their_keys() {
        assert_eq!(u64::from_key_part(&u64::key_part(u64::MAX)), Some(u64::MAX));
        assert_eq!(i8::from_key_part("128"), None);
        assert_eq!(NonZeroU32::from_count(0), None);
        assert_eq!(String::from_key_part("ada").as_deref(), Some("ada"));
    }
}
