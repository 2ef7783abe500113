//! Event logs: appends, retention, reading and upkeep, on real servers.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod publish;
