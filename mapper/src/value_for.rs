//! The values that calls take for a field.

use std::borrow::Cow;
use std::sync::Arc;

/// A value for a field of the type `V`: a `V`, a reference to one, or `&str` for text. A field that is an `Option` takes the
/// value inside, too.
///
/// Integer literals take the type of the field: `User::patch(42).set(User::AGE, 31)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value for a field of the type `{V}`",
    label = "expected `{V}`, or a reference to one"
)]
pub trait ValueFor<V>: Sized {
    /// Calls `with` with the value.
    #[doc(hidden)]
    fn with_value<R>(self, with: impl FnOnce(&V) -> R) -> R;
}

impl<V> ValueFor<V> for V {
    fn with_value<R>(self, with: impl FnOnce(&V) -> R) -> R {
        with(&self)
    }
}

impl<V> ValueFor<V> for &V {
    fn with_value<R>(self, with: impl FnOnce(&V) -> R) -> R {
        with(self)
    }
}

impl<V> ValueFor<Option<V>> for V {
    fn with_value<R>(self, with: impl FnOnce(&Option<V>) -> R) -> R {
        with(&Some(self))
    }
}

impl<V: Clone> ValueFor<Option<V>> for &V {
    fn with_value<R>(self, with: impl FnOnce(&Option<V>) -> R) -> R {
        with(&Some(self.clone()))
    }
}

macro_rules! from_text {
    ($($type:ty)*) => {$(
        impl ValueFor<$type> for &str {
            fn with_value<R>(self, with: impl FnOnce(&$type) -> R) -> R {
                with(&<$type>::from(self.to_owned()))
            }
        }

        impl ValueFor<Option<$type>> for &str {
            fn with_value<R>(self, with: impl FnOnce(&Option<$type>) -> R) -> R {
                with(&Some(<$type>::from(self.to_owned())))
            }
        }
    )*};
}

from_text! { String Box<str> Arc<str> Cow<'static, str> }
