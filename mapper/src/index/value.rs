//! Types whose values can be in an index.

use std::borrow::Cow;
use std::sync::Arc;

use super::encode;
use super::layout::ColumnKind;

/// A type whose values can be in an index: one value is one entry.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be in an index",
    label = "not a value that can be indexed",
    note = "text, integers, floats, `bool`, enums without data, newtypes, times, `Uuid` and `Ulid` can; so can `Option`s, `Vec`s and sets of these"
)]
pub trait IndexValue {
    /// How the values are encoded.
    #[doc(hidden)]
    const KIND: Kind;

    /// Appends bytes that sort as the value does. Returns why a value cannot be in an index.
    #[doc(hidden)]
    fn push_index(&self, out: &mut String) -> Result<(), &'static str>;
}

/// How values are encoded in an index.
#[doc(hidden)]
pub type Kind = ColumnKind;

/// A type of a field that can be in an index: an [`IndexValue`], an `Option` of one, or a sequence of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be in an index",
    label = "not a field that can be indexed",
    note = "text, integers, floats, `bool`, enums without data, newtypes, times, `Uuid` and `Ulid` can; so can `Option`s, `Vec`s and sets of these"
)]
pub trait IndexField {
    /// The type of one entry's value.
    type Value: IndexValue;

    #[doc(hidden)]
    const KIND: Kind = <Self::Value as IndexValue>::KIND;

    #[doc(hidden)]
    const OPTIONAL: bool = false;

    #[doc(hidden)]
    const MANY: bool = false;

    /// Returns the values, each of which has an entry.
    #[doc(hidden)]
    fn index_values(&self) -> impl Iterator<Item = &Self::Value>;
}

macro_rules! texts {
    ($($type:ty)*) => {$(
        impl IndexValue for $type {
            const KIND: Kind = ColumnKind::Text;

            fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
                push_text(self, out)
            }
        }
    )*};
}

texts! { String Box<str> Arc<str> Cow<'static, str> }

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl IndexValue for $type {
            const KIND: Kind = ColumnKind::Integer;

            fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
                encode::push_integer(&self.to_string(), out);
                Ok(())
            }
        }
    )*};
}

integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

macro_rules! floats {
    ($($type:ty)*) => {$(
        impl IndexValue for $type {
            const KIND: Kind = ColumnKind::Float;

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

impl IndexValue for bool {
    const KIND: Kind = ColumnKind::Text;

    fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
        out.push_str(if *self { "true" } else { "false" });
        Ok(())
    }
}

/// Returns the column of a field: the texts of its values, or `""` if it has none.
pub(crate) fn column_text<T: IndexField>(field: &T) -> Result<String, &'static str> {
    let mut column = String::new();
    for value in field.index_values() {
        if !column.is_empty() {
            column.push(encode::BETWEEN_VALUES);
        }
        column.push('=');
        value.push_index(&mut column)?;
    }
    Ok(column)
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
