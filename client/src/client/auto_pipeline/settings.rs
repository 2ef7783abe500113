//! The limits of auto-pipelining.

/// The limits of one request of [auto-pipelining](crate::RedisBuilder::auto_pipelining).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoPipelining {
    pub(crate) max_commands: usize,
    pub(crate) max_bytes: usize,
    pub(crate) separate_reads: bool,
}

impl Default for AutoPipelining {
    /// 1000 commands and 1 MiB.
    fn default() -> Self {
        AutoPipelining { max_commands: 1000, max_bytes: 1 << 20, separate_reads: false }
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

    /// Sets whether reads are sent in requests of their own, which do not wait for writes. Off by default.
    ///
    /// The service answers a request that only reads from a replica near the caller, and one that writes from the
    /// primary (*unverified*). So reads are faster among writes, at the price of a second request.
    ///
    /// Reads keep their order, and so do writes. A read that is awaited before a write has been answered may be executed
    /// before or after it. A read that is awaited after the reply to a write sees that write, if
    /// [`read_your_writes`](crate::RedisBuilder::read_your_writes) is on.
    #[must_use]
    pub fn separate_reads(mut self, separate: bool) -> Self {
        self.separate_reads = separate;
        self
    }

    /// Sets the maximum number of bytes in one request. A single command can be larger.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }
}
