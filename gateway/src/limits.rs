//! The resources that a gateway uses at most.

use std::fs;
use std::time::Duration;

/// The bounds of connections and of the time that they may take.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// The largest number of connections from clients, and the largest number of those to Redis that serve them.
    pub(crate) connections: usize,
    /// The time for the head of a request, from its first byte or from the start of the connection.
    pub(crate) head: Duration,
    /// The time for the body of a request.
    pub(crate) body: Duration,
    /// The time between two requests of a connection.
    pub(crate) idle: Duration,
    /// The time that a client may take nothing of a response that is ready.
    pub(crate) stalled: Duration,
}

/// The number of open files that is assumed if the system does not tell it. It is the default of macOS.
const UNKNOWN_OPEN_FILES: usize = 256;

impl Limits {
    /// Returns the limits that suit this process.
    pub(crate) fn of_this_process() -> Self {
        let open_files = fs::read_to_string("/proc/self/limits").ok().and_then(|text| max_open_files(&text));
        Limits {
            connections: connections(open_files.unwrap_or(UNKNOWN_OPEN_FILES)),
            head: Duration::from_secs(10),
            body: Duration::from_secs(120),
            // Longer than the 90 seconds for which common HTTP clients keep a connection, so that they close it first. A
            // connection that the server closes may break a request that has just been sent.
            idle: Duration::from_secs(120),
            stalled: Duration::from_secs(60),
        }
    }

    /// Returns the largest number of open requests. On the other connections, further requests are refused.
    pub(crate) fn requests(&self) -> usize {
        self.connections - self.connections / 8
    }

    /// Returns the largest number of open requests of the token for all commands. The rest is for the other tokens.
    pub(crate) fn full_requests(&self) -> usize {
        self.requests() - self.connections / 8
    }

    /// Returns the largest number of open requests of all other tokens. The rest is for the token for all commands.
    pub(crate) fn other_requests(&self) -> usize {
        self.connections / 2
    }
}

/// Returns the soft limit of open files in the text of `/proc/self/limits`.
fn max_open_files(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

/// Returns how many connections from clients, and as many to Redis, leave a quarter of the open files to the process.
///
/// Redis allows 10,000 clients by default.
fn connections(open_files: usize) -> usize {
    (open_files / 8 * 3).clamp(8, 4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_open_files_is_left() {
        let text =
            "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096   files\n";
        assert_eq!(max_open_files(text), Some(1024));
        for (open_files, expected) in [(256, 96), (1024, 384), (1 << 20, 4096), (usize::MAX, 4096), (10, 8)] {
            assert_eq!(connections(open_files), expected);
        }
    }

    #[test]
    fn each_kind_of_token_has_connections_that_the_other_cannot_take() {
        for connections in [8, 96, 4096] {
            let limits = Limits { connections, ..Limits::of_this_process() };
            assert!(limits.requests() < connections);
            assert!(limits.full_requests() < limits.requests() && limits.other_requests() < limits.requests());
        }
    }
}
