//! Guides: how to do a task from start to end. They contain no code of the crate.

#[doc = include_str!("records.md")]
pub mod records {}
