//! Versions of records, for optimistic locks.

/// The type of a record's version: an integer, or `()` for a model without a field marked `#[redis(version)]`.
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
