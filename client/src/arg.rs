//! Values that can be one argument of a command.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, Result};

/// One argument of a command.
///
/// The wire carries every argument as text. Integers and floats have variants of their own so that they are formatted
/// directly into the request.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Arg<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes, UTF-8 or not.
    Bytes(Cow<'a, [u8]>),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A float; sent in the shortest decimal form that reads back as the same number.
    Float(f64),
    /// The reason why a value cannot be sent. The command fails as `InvalidInput` before anything is sent.
    Invalid(Cow<'static, str>),
}

impl Arg<'_> {
    /// Converts the argument to one that borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Arg<'static> {
        match self {
            Arg::Text(text) => Arg::Text(Cow::Owned(text.into_owned())),
            Arg::Bytes(bytes) => Arg::Bytes(Cow::Owned(bytes.into_owned())),
            Arg::Int(int) => Arg::Int(int),
            Arg::Uint(uint) => Arg::Uint(uint),
            Arg::Float(float) => Arg::Float(float),
            Arg::Invalid(why) => Arg::Invalid(why),
        }
    }
}

impl Arg<'_> {
    /// The bytes that are sent for this argument.
    pub(crate) fn into_bytes(self) -> Result<Vec<u8>> {
        Ok(match self {
            Arg::Text(text) => text.into_owned().into_bytes(),
            Arg::Bytes(bytes) => bytes.into_owned(),
            Arg::Int(int) => int.to_string().into_bytes(),
            Arg::Uint(uint) => uint.to_string().into_bytes(),
            Arg::Float(float) => float_text(float).into_bytes(),
            Arg::Invalid(why) => return Err(Error::invalid_input(why)),
        })
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Arg::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Arg<'_> {
    fn from(text: String) -> Self {
        Arg::Text(Cow::Owned(text))
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Arg::Bytes(Cow::Borrowed(bytes))
    }
}

/// A value that is one argument of a command: a key, a field, a member, a number.
///
/// Text, bytes, numbers and `bool` (`true`, `false`) implement it. A `char` and a `u8` do not: the characters of a text, or
/// its bytes, are one argument, not many. Convert a small number with `u32::from`. Implement it for your own type to pass that type where
/// a key or a value is expected:
///
/// ```
/// use redis_rest::{Arg, Build, StringCommands, ToArg};
///
/// struct UserKey(u64);
///
/// impl ToArg for UserKey {
///     fn to_arg(&self) -> Arg<'_> {
///         Arg::from(format!("user:{}", self.0))
///     }
/// }
///
/// assert_eq!(Build.get::<String>(UserKey(7)).args(), ["GET", "user:7"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be one argument of a Redis command",
    label = "not a key, field or value",
    note = "text, bytes, numbers and `bool` can; a `char` or a `u8` cannot, because a collection of them is one value (use `u32::from(..)` for a small number); wrap anything that serde serializes in `Json(..)`; implement `ToArg` for your own types, and pass the text of others: `value.to_string()`",
    note = "an `Option` is unwrapped first, because Redis stores no null, and a `Result` with `?`"
)]
pub trait ToArg {
    /// Returns the argument.
    fn to_arg(&self) -> Arg<'_>;
}

impl ToArg for Arg<'_> {
    fn to_arg(&self) -> Arg<'_> {
        match self {
            Arg::Text(text) => Arg::Text(Cow::Borrowed(text)),
            Arg::Bytes(bytes) => Arg::Bytes(Cow::Borrowed(bytes)),
            Arg::Int(int) => Arg::Int(*int),
            Arg::Uint(uint) => Arg::Uint(*uint),
            Arg::Float(float) => Arg::Float(*float),
            Arg::Invalid(why) => Arg::Invalid(why.clone()),
        }
    }
}

impl ToArg for str {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(self)
    }
}

impl ToArg for String {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(self.as_str())
    }
}

impl ToArg for [u8] {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(self)
    }
}

impl<const N: usize> ToArg for [u8; N] {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(self.as_slice())
    }
}

impl ToArg for Vec<u8> {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(self.as_slice())
    }
}

impl ToArg for Bytes {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(self.as_ref())
    }
}

impl ToArg for bool {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(if *self { "true" } else { "false" })
    }
}

impl ToArg for f32 {
    fn to_arg(&self) -> Arg<'_> {
        // Formatted as an f32: 0.1_f32 is "0.1", but as an f64 it would be "0.10000000149011612".
        Arg::from(self.to_string())
    }
}

impl ToArg for f64 {
    fn to_arg(&self) -> Arg<'_> {
        Arg::Float(*self)
    }
}

macro_rules! to_arg_for_integers {
    ($variant:ident as $wide:ty: $($int:ty)*) => {$(
        impl ToArg for $int {
            fn to_arg(&self) -> Arg<'_> {
                Arg::$variant(*self as $wide)
            }
        }
    )*};
}

to_arg_for_integers!(Int as i64: i8 i16 i32 i64 isize);
to_arg_for_integers!(Uint as u64: u16 u32 u64 usize);

macro_rules! to_arg_for_pointers {
    ($($pointer:ty)*) => {$(
        impl<T: ToArg + ?Sized> ToArg for $pointer {
            fn to_arg(&self) -> Arg<'_> {
                (**self).to_arg()
            }
        }
    )*};
}

to_arg_for_pointers!(&T &mut T Box<T> Rc<T> Arc<T>);

impl<T: ToArg + ToOwned + ?Sized> ToArg for Cow<'_, T> {
    fn to_arg(&self) -> Arg<'_> {
        (**self).to_arg()
    }
}

/// The shortest decimal form that reads back as the same number, as Redis writes it: `1`, `0.1`, `1e300`, `inf`.
pub(crate) fn float_text(float: f64) -> String {
    let mut text = String::new();
    let magnitude = float.abs();
    // Writing to a String cannot fail.
    let _ = if float.is_finite() && (magnitude >= 1e17 || (magnitude < 1e-7 && magnitude > 0.0)) {
        write!(text, "{float:e}")
    } else {
        write!(text, "{float}")
    };
    text
}
