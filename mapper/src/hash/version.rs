//! Versions of records, for optimistic locks.

/// The type of a record's version: an integer, or `()` for a model without a field marked `#[redis(version)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a version",
    label = "not an integer of 32 or 64 bits",
    note = "make the field marked `#[redis(version)]` a `u64`; `u32`, `i64` and `i32` work too"
)]
pub trait Version: Sized + Send + Sync + 'static {
    /// Returns the number, if there is one.
    #[doc(hidden)]
    fn number(&self) -> Option<u64>;

    /// Returns the version that a write has stored. `None` if the number does not fit the type.
    #[doc(hidden)]
    fn from_number(number: Option<u64>) -> Option<Self>;
}

impl Version for () {
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
            fn number(&self) -> Option<u64> {
                u64::try_from(*self).ok()
            }

            fn from_number(number: Option<u64>) -> Option<Self> {
                number?.try_into().ok()
            }
        }
    )*};
}

integers! { u32 u64 i32 i64 }
