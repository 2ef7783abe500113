//! Ids of records.

use std::borrow::Cow;
use std::num::{NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64};

/// A type that can be the id of a record: the type of the field marked `#[redis(id)]`.
///
/// Integers and `String` are ids. So are `Uuid` and `Ulid`, with the features `uuid` and `ulid`. A newtype of an id is
/// an id too if it derives `RedisModel` with `#[redis(id)]`.
///
/// An id must not be empty, must not contain `:`, which separates the parts of a key, and must not make a key of more than
/// 32 KB, the most that the hosted service takes. A command with such an id fails before anything is sent.
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
/// #[derive(RedisModel)]
/// #[redis(prefix = "session")]
/// struct Session {
///     #[redis(id)]
///     id: String,
/// }
///
/// assert_eq!(Order::key(&OrderId(7))?, "order:7");
/// assert_eq!(Session::key("k3j9")?, "session:k3j9");
///
/// let error = Session::key("a:b").unwrap_err();
/// assert!(error.is_invalid_input());
/// # Ok::<(), redis_model::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id of a record",
    label = "not an id",
    note = "integers and `String` are ids; so are `Uuid` and `Ulid`, with the features `uuid` and `ulid`; on a newtype of an id, derive `RedisModel` with `#[redis(id)]`"
)]
pub trait Id: Sized + Send + Sync + 'static {
    /// The type of the id argument: integers by value, `String` as `&str`, others by reference.
    type Ref<'a>: Copy;

    /// Returns this id as calls take it.
    fn as_ref(&self) -> Self::Ref<'_>;

    /// Returns the part of the key that stands for the id.
    fn key_part<'a>(id: Self::Ref<'a>) -> Cow<'a, str>;

    /// Returns the id that a part of a key stands for, or `None` if it is not an id of this type.
    fn from_key_part(part: &str) -> Option<Self>;
}

/// An id that the client can generate without the database: `Uuid` (version 7) and `Ulid`.
///
/// ```
/// # #[cfg(feature = "ulid")] {
/// use redis_model::prelude::*;
/// use ulid::Ulid;
///
/// #[derive(RedisModel)]
/// #[redis(prefix = "ticket")]
/// struct Ticket {
///     #[redis(id)]
///     id: Ulid,
/// }
///
/// let ticket = Ticket { id: Ticket::generate_id() };
/// assert_ne!(ticket.id, Ticket::generate_id());
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "the client cannot generate ids of type `{Self}`",
    note = "it can generate `Uuid` and `Ulid`, with the features `uuid` and `ulid`; for integers call `next_id`, which counts in the database"
)]
pub trait GenerateId: Id {
    /// Returns a new id that no other call returns, on any machine.
    fn generate() -> Self;
}

/// An id that the database can count: an integer. [`next_id`](crate::HashModel::next_id) returns the next one.
pub trait IntegerId: Id {
    /// Returns the id for this count, or `None` if the count does not fit the type.
    fn from_count(count: i64) -> Option<Self>;
}

/// Ids that are `Copy`, and whose part of the key is their `Display` text.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_from_their_keys() {
        assert_eq!(u64::from_key_part(&u64::key_part(u64::MAX)), Some(u64::MAX));
        assert_eq!(i8::from_key_part("128"), None);
        assert_eq!(NonZeroU32::from_count(0), None);
        assert_eq!(String::from_key_part("ada").as_deref(), Some("ada"));
    }
}
