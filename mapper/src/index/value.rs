//! Types whose values can be in an index.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::encode;
use super::layout::{ColumnKind, LayoutBuilder};

/// A type whose values can be in an index: one value is one entry.
///
/// | type | order |
/// | --- | --- |
/// | `String`, `Box<str>`, `Arc<str>`, `Cow<str>`, `char` | that of the UTF-8 bytes, as in Rust; at most 1,024 bytes |
/// | integers, `NonZero`, floats | by number; `NaN` is refused, `0.0` and `-0.0` are one value |
/// | `bool` | `false`, `true` |
/// | `Duration`, `SystemTime` | by time |
/// | IP and socket addresses, `Uuid`, `Ulid` | as in Rust |
/// | instants, dates and times of `chrono`, `jiff` and `time` | by time; instants with different offsets compare as instants, and a leap second is the nanosecond before the next second |
/// | an enum without data that derives `RedisModel` | by the stored name of the variant, not by its position |
/// | a newtype that derives `RedisModel` | that of the inner type |
/// | [`Ref`](crate::Ref) | that of the id |
/// | a type that derives `RedisModel` with `#[redis(text)]` | that of its `Display` text |
///
/// A value in an index has the same bytes for all types of one kind, so a field can change from `u8` to `u64`, or from
/// `chrono` to `jiff`, and its index remains.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be in an index",
    label = "not a value that can be indexed",
    note = "text, integers, floats, `bool`, enums without data, newtypes, times, `Uuid` and `Ulid` can; so can `Option`s, `Vec`s and sets of these",
    note = "put another type into a newtype of your own that derives `RedisModel` with `#[redis(text)]`"
)]
pub trait IndexValue {
    /// How the values are encoded.
    #[doc(hidden)]
    const KIND: ColumnKind;

    /// Appends bytes that sort as the value does. Returns why a value cannot be in an index.
    #[doc(hidden)]
    fn push_index(&self, out: &mut String) -> Result<(), &'static str>;
}

/// A type of a field that can be in an index: an [`IndexValue`], an `Option` of one, or a `Vec`, a `VecDeque`, a boxed
/// slice or a set of them.
///
/// `None` has no entry. A sequence has an entry for each distinct element, so a query finds the record by any of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be in an index",
    label = "not a field that can be indexed",
    note = "text, integers, floats, `bool`, enums without data, newtypes, times, `Uuid` and `Ulid` can; so can `Option`s, `Vec`s and sets of these",
    note = "put another type into a newtype of your own that derives `RedisModel` with `#[redis(text)]`"
)]
pub trait IndexField {
    /// The type of one entry's value.
    type Value: IndexValue;

    #[doc(hidden)]
    const KIND: ColumnKind = <Self::Value as IndexValue>::KIND;

    #[doc(hidden)]
    const OPTIONAL: bool = false;

    #[doc(hidden)]
    const MANY: bool = false;

    /// Returns the values, each of which has an entry.
    #[doc(hidden)]
    fn index_values(&self) -> impl Iterator<Item = &Self::Value>;

    // The derive calls these two for a field: as both are methods of this trait, a type that cannot be in an index is one
    // error.

    #[doc(hidden)]
    fn describe_column(layout: &mut LayoutBuilder, name: &'static str)
    where
        Self: Sized,
    {
        layout.column::<Self>(name);
    }

    #[doc(hidden)]
    fn column_text(&self) -> Result<String, &'static str>
    where
        Self: Sized,
    {
        column_text(self)
    }
}

/// Returns the column of a field: the texts of its values, or `""` if it has none.
pub(crate) fn column_text<T: IndexField>(field: &T) -> Result<String, &'static str> {
    let mut values = Vec::new();
    for value in field.index_values() {
        let mut text = String::from('=');
        value.push_index(&mut text)?;
        values.push(text);
    }
    // A column depends on nothing but the values: a `HashSet` has another order each time.
    values.sort_unstable();
    values.dedup();
    Ok(values.join(encode::BETWEEN_VALUES))
}

/// Appends text, if it is not too long.
pub(crate) fn push_text(text: &str, out: &mut String) -> Result<(), &'static str> {
    if text.len() > encode::MAX_TEXT {
        return Err("is longer than 1,024 bytes, the most that an index takes");
    }
    encode::push_text(text, out);
    Ok(())
}

impl<V: IndexValue> IndexField for V {
    type Value = V;

    fn index_values(&self) -> impl Iterator<Item = &V> {
        std::iter::once(self)
    }
}

impl<V: IndexValue> IndexField for Option<V> {
    type Value = V;

    const OPTIONAL: bool = true;

    fn index_values(&self) -> impl Iterator<Item = &V> {
        self.iter()
    }
}

macro_rules! sequences {
    ($($sequence:ty $(, $hasher:ident)?;)*) => {$(
        impl<V: IndexValue $(, $hasher)?> IndexField for $sequence {
            type Value = V;

            const MANY: bool = true;

            fn index_values(&self) -> impl Iterator<Item = &V> {
                self.iter()
            }
        }

        impl<V: IndexValue $(, $hasher)?> IndexField for Option<$sequence> {
            type Value = V;

            const OPTIONAL: bool = true;

            const MANY: bool = true;

            fn index_values(&self) -> impl Iterator<Item = &V> {
                self.iter().flatten()
            }
        }
    )*};
}

sequences! { Vec<V>; VecDeque<V>; BTreeSet<V>; HashSet<V, S>, S; }

impl<V: IndexValue> IndexField for Box<[V]> {
    type Value = V;

    const MANY: bool = true;

    fn index_values(&self) -> impl Iterator<Item = &V> {
        self.iter()
    }
}

impl<V: IndexValue> IndexValue for Box<V> {
    const KIND: ColumnKind = V::KIND;

    fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
        (**self).push_index(out)
    }
}

macro_rules! texts {
    ($($type:ty)*) => {$(
        impl IndexValue for $type {
            const KIND: ColumnKind = ColumnKind::Text;

            fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
                push_text(self, out)
            }
        }
    )*};
}

texts! { String Box<str> Arc<str> Cow<'static, str> }

/// Values that are in an index by their `Display` text, which is short.
macro_rules! displayed {
    ($($(#[$gate:meta])? $type:ty,)*) => {$(
        $(#[$gate])?
        impl IndexValue for $type {
            const KIND: ColumnKind = ColumnKind::Text;

            fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
                push_text(&self.to_string(), out)
            }
        }
    )*};
}

displayed! { bool, char, #[cfg(feature = "uuid")] uuid::Uuid, #[cfg(feature = "ulid")] ulid::Ulid, }

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl IndexValue for $type {
            const KIND: ColumnKind = ColumnKind::Integer;

            fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
                encode::push_integer(&self.to_string(), out);
                Ok(())
            }
        }

        impl IndexValue for NonZero<$type> {
            const KIND: ColumnKind = ColumnKind::Integer;

            fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
                self.get().push_index(out)
            }
        }
    )*};
}

integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

macro_rules! floats {
    ($($type:ty)*) => {$(
        impl IndexValue for $type {
            const KIND: ColumnKind = ColumnKind::Float;

            fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
                if self.is_nan() {
                    return Err("is not a number, which has no place in an order");
                }
                encode::push_float(f64::from(*self), out);
                Ok(())
            }
        }
    )*};
}

floats! { f32 f64 }

/// In nanoseconds.
impl IndexValue for Duration {
    const KIND: ColumnKind = ColumnKind::Integer;

    fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
        self.as_nanos().push_index(out)
    }
}

/// In nanoseconds since 1970.
impl IndexValue for SystemTime {
    const KIND: ColumnKind = ColumnKind::Integer;

    fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
        // 2^64 seconds are less than 2^94 nanoseconds.
        let nanos = |distance: Duration| i128::try_from(distance.as_nanos()).unwrap_or(i128::MAX);
        match self.duration_since(UNIX_EPOCH) {
            Ok(since) => nanos(since),
            Err(before) => -nanos(before.duration()),
        }
        .push_index(out)
    }
}

/// Values that are in an index as hexadecimal digits of a fixed width.
macro_rules! hexadecimal {
    ($($type:ty: $text:expr;)*) => {$(
        impl IndexValue for $type {
            const KIND: ColumnKind = ColumnKind::Text;

            fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
                let text: fn(&Self) -> String = $text;
                out.push_str(&text(self));
                Ok(())
            }
        }
    )*};
}

// In Rust too, every address of version 4 is before those of version 6.
hexadecimal! {
    Ipv4Addr: |address| format!("4{:08x}", address.to_bits());
    Ipv6Addr: |address| format!("6{:032x}", address.to_bits());
    IpAddr: |address| match address {
        IpAddr::V4(address) => format!("4{:08x}", address.to_bits()),
        IpAddr::V6(address) => format!("6{:032x}", address.to_bits()),
    };
    SocketAddr: |address| match address {
        SocketAddr::V4(address) => format!("4{:08x}{:04x}", address.ip().to_bits(), address.port()),
        SocketAddr::V6(address) => format!(
            "6{:032x}{:04x}{:08x}{:08x}",
            address.ip().to_bits(), address.port(), address.flowinfo(), address.scope_id(),
        ),
    };
}
