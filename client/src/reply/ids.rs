//! `Uuid` and `Ulid`, as their text.

use super::{FromReply, Reply};
use crate::arg::{Arg, ToArg};
use crate::error::Result;

macro_rules! by_text {
    ($($(#[$gate:meta])? $type:ty, $name:literal;)*) => {$(
        $(#[$gate])?
        impl ToArg for $type {
            fn to_arg(&self) -> Arg<'_> {
                Arg::from(self.to_string())
            }
        }

        $(#[$gate])?
        impl FromReply for $type {
            fn from_reply(reply: Reply<'_>) -> Result<Self> {
                reply.text()?.parse().map_err(|_| reply.mismatch($name))
            }
        }
    )*};
}

by_text! {
    #[cfg(feature = "uuid")] uuid::Uuid, "a UUID";
    #[cfg(feature = "ulid")] ulid::Ulid, "a ULID";
}
