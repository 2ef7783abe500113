//! Records: each one a Redis hash at `prefix:id`.

mod commands;
mod field_ref;
mod hash_model;
mod model_commands;
mod scan;

pub use self::field_ref::FieldRef;
pub use self::hash_model::{HashModel, IdRef};
pub use self::model_commands::ModelCommands;
