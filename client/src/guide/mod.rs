//! Guides: how to do a task from start to end. They contain no code of the crate.

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("differences.md")]
pub mod differences {}

#[doc = include_str!("platforms.md")]
pub mod platforms {}

#[doc = include_str!("migrating.md")]
pub mod migrating {}
