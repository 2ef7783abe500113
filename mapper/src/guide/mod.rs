//! Guides: what is guaranteed, what each call sends and costs, and what happens when something fails. They contain no code.

#[doc = include_str!("lists.md")]
#[doc = include_str!("list_costs.md")]
pub mod lists {}

#[doc = include_str!("logs.md")]
#[doc = include_str!("log_costs.md")]
pub mod logs {}

#[doc = include_str!("records.md")]
#[doc = include_str!("costs.md")]
pub mod records {}
