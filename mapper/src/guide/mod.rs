//! Guides: how to do a task from start to end. They contain no code of the crate.

#[doc = include_str!("records.md")]
#[doc = include_str!("costs.md")]
pub mod records {}
