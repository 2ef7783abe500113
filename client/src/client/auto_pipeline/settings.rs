//! The limits of auto-pipelining.

/// The limits of one request of [auto-pipelining](crate::RedisBuilder::auto_pipelining).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoPipelining {
    pub(crate) max_commands: usize,
    pub(crate) max_bytes: usize,
}

impl Default for AutoPipelining {
    /// 1000 commands and 1 MiB.
    fn default() -> Self {
        AutoPipelining { max_commands: 1000, max_bytes: 1 << 20 }
    }
}

impl AutoPipelining {
    /// Creates the default limits: 1000 commands and 1 MiB.
    #[must_use]
    pub fn new() -> Self {
        AutoPipelining::default()
    }

    /// Sets the maximum number of commands in one request.
    #[must_use]
    pub fn max_commands(mut self, commands: usize) -> Self {
        self.max_commands = commands;
        self
    }

    /// Sets the maximum number of bytes in one request. A single command can be larger.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }
}
