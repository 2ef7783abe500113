//! What each call sends, counted on its way to a real server: the tables of the guides.
//! `GUIDE=overwrite` writes them again.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod lists;
mod logs;
mod records;
mod table;
