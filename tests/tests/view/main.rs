//! The web view of the gateway: what its pages show of a store that the mapper has filled, who may see them, and how they look
//! and work in a browser.
//!
//! `VIEW_SCREENSHOTS=folder cargo test -p redis-model-tests --test view browser` writes pictures of the pages.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and reports"
)]

mod browser;
mod cdp;
mod demo;
mod markup;
mod pages;
mod safety;
mod site;
