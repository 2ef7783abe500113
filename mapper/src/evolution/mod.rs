//! Records that an earlier version of a program has written: upgrades, fields of another type, and fields that the model
//! does not know.

mod converted;
mod removed;
mod stored;
mod unknown;
mod upgrade;

pub use self::converted::{Convert, Converted, convert};
pub use self::removed::remember_removed;
pub use self::stored::StoredFields;
pub use self::unknown::UnknownFields;
pub use self::upgrade::{SCHEMA_FIELD, Upgraded, upgrade};
