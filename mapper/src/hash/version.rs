//! Versions of records, for optimistic locks.

use redis_rest::{Error, ErrorKind};

/// The type of a record's version: an integer, or `()` for a model without a field marked `#[redis(version)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a version",
    label = "not an integer of 32 or 64 bits",
    note = "make the field marked `#[redis(version)]` a `u64`; `u32`, `i64` and `i32` work too"
)]
pub trait Version: Sized + Send + Sync + 'static {
    /// The largest version.
    #[doc(hidden)]
    const LARGEST: u64;

    /// Returns the number, if there is one.
    #[doc(hidden)]
    fn number(&self) -> Option<u64>;

    /// Returns the version that a write has stored. `None` if the number does not fit the type.
    #[doc(hidden)]
    fn from_number(number: Option<u64>) -> Option<Self>;
}

/// The type of a version that is a number: every [`Version`] but `()`.
#[diagnostic::on_unimplemented(
    message = "the model has no version",
    label = "needs a version",
    note = "add a field `version: u64` and mark it `#[redis(version)]`"
)]
pub trait VersionNumber: Version {}

/// The error about a version below 0.
#[cold]
pub(super) fn negative() -> Error {
    Error::new(ErrorKind::InvalidInput, "a version is not negative; 0 is that of a record that is not stored yet")
}

impl Version for () {
    const LARGEST: u64 = 0;

    fn number(&self) -> Option<u64> {
        None
    }

    fn from_number(_: Option<u64>) -> Option<()> {
        Some(())
    }
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl Version for $int {
            #[expect(clippy::allow_attributes, reason = "not every type has all of these lints")]
            #[allow(clippy::cast_lossless, clippy::unnecessary_cast, clippy::cast_sign_loss, reason = "it is positive")]
            const LARGEST: u64 = <$int>::MAX as u64;

            fn number(&self) -> Option<u64> {
                u64::try_from(*self).ok()
            }

            fn from_number(number: Option<u64>) -> Option<Self> {
                number?.try_into().ok()
            }
        }

        impl VersionNumber for $int {}
    )*};
}

integers! { u32 u64 i32 i64 }
