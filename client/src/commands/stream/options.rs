//! What the commands on streams can be told.

use std::time::Duration;

use super::StreamId;
use crate::arg::{Arg, ToArg};
use crate::command::{Args, ToArgs};

/// The id that a new entry gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewId {
    /// The server's choice: `*`.
    #[default]
    Auto,
    /// This time, and the server's choice of a number: `1526919030474-*`.
    At(u64),
    /// This one, which must be greater than all that are there.
    Exact(StreamId),
}

/// What happens to a group's references to an entry that is removed. Redis 8.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefPolicy {
    /// They stay: `KEEPREF`.
    #[default]
    Keep,
    /// They are removed too: `DELREF`.
    Delete,
    /// The entry is removed only if all groups are done with it: `ACKED`.
    Acked,
}

impl RefPolicy {
    pub(super) fn word(self) -> &'static str {
        match self {
            RefPolicy::Keep => "KEEPREF",
            RefPolicy::Delete => "DELREF",
            RefPolicy::Acked => "ACKED",
        }
    }
}

/// How old entries are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    threshold: Threshold,
    approximate: bool,
    limit: Option<u64>,
    policy: Option<RefPolicy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threshold {
    MaxLen(u64),
    MinId(StreamId),
}

impl Trim {
    /// Keeps so many of the newest: `MAXLEN`.
    #[must_use]
    pub fn max_len(entries: u64) -> Self {
        Trim { threshold: Threshold::MaxLen(entries), approximate: false, limit: None, policy: None }
    }

    /// Keeps what is not older than `id`: `MINID`.
    #[must_use]
    pub fn min_id(id: StreamId) -> Self {
        Trim { threshold: Threshold::MinId(id), approximate: false, limit: None, policy: None }
    }

    /// Keeps a few more where that is cheaper: `~`.
    #[must_use]
    pub fn approximately(mut self) -> Self {
        self.approximate = true;
        self
    }

    /// Removes no more than so many at once: `LIMIT`. Only [`approximately`](Self::approximately).
    #[must_use]
    pub fn limit(mut self, entries: u64) -> Self {
        self.limit = Some(entries);
        self
    }

    /// What happens to groups' references. Redis 8.2.
    #[must_use]
    pub fn policy(mut self, policy: RefPolicy) -> Self {
        self.policy = Some(policy);
        self
    }

    fn write_threshold(&self, args: &mut Args) {
        let word = match self.threshold {
            Threshold::MaxLen(_) => "MAXLEN",
            Threshold::MinId(_) => "MINID",
        };
        args.push(word);
        if self.approximate {
            args.push("~");
        }
        match self.threshold {
            Threshold::MaxLen(entries) => args.push(entries),
            Threshold::MinId(id) => args.push(id),
        };
        if let Some(limit) = self.limit {
            if !self.approximate {
                args.reject("only an approximate trim takes a limit; add `approximately()`");
            }
            args.push("LIMIT").push(limit);
        }
    }

    fn write_policy(&self, args: &mut Args) {
        if let Some(policy) = self.policy {
            args.push(policy.word());
        }
    }
}

impl ToArgs for Trim {
    fn write_args(&self, args: &mut Args) {
        self.write_threshold(args);
        self.write_policy(args);
    }
}

/// Options of [`xadd_with`](super::StreamCommands::xadd_with).
#[derive(Debug, Clone, Copy, Default)]
pub struct XAddOptions {
    id: NewId,
    no_mkstream: bool,
    trim: Option<Trim>,
}

impl XAddOptions {
    /// An id of the server's choice; the stream is made if it does not exist, and not trimmed.
    #[must_use]
    pub fn new() -> Self {
        XAddOptions::default()
    }

    /// The entry's id.
    #[must_use]
    pub fn id(mut self, id: NewId) -> Self {
        self.id = id;
        self
    }

    /// Adds nothing if the stream does not exist: `NOMKSTREAM`.
    #[must_use]
    pub fn no_mkstream(mut self) -> Self {
        self.no_mkstream = true;
        self
    }

    /// Removes old entries.
    #[must_use]
    pub fn trim(mut self, trim: Trim) -> Self {
        self.trim = Some(trim);
        self
    }
}

impl ToArgs for XAddOptions {
    fn write_args(&self, args: &mut Args) {
        if self.no_mkstream {
            args.push("NOMKSTREAM");
        }
        if let Some(trim) = &self.trim {
            trim.write_policy(args);
            trim.write_threshold(args);
        }
        match self.id {
            NewId::Auto => args.push("*"),
            NewId::At(millis) => args.push(format!("{millis}-*")),
            NewId::Exact(id) => args.push(id),
        };
    }
}

/// From where on a group reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupStart {
    /// From the first entry on.
    Beginning,
    /// Only what is added from now on: `$`.
    End,
    /// Behind this entry.
    After(StreamId),
}

impl ToArgs for GroupStart {
    fn write_args(&self, args: &mut Args) {
        match self {
            GroupStart::Beginning => args.push("0"),
            GroupStart::End => args.push("$"),
            GroupStart::After(id) => args.push(id),
        };
    }
}

/// Which entries a consumer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPosition {
    /// Those that no consumer of the group has read: `>`.
    New,
    /// Those that are pending with it, behind this id.
    PendingAfter(StreamId),
}

impl ToArg for GroupPosition {
    fn to_arg(&self) -> Arg<'_> {
        match self {
            GroupPosition::New => Arg::from(">"),
            GroupPosition::PendingAfter(id) => Arg::from(id.to_string()),
        }
    }
}

/// Options of [`xreadgroup`](super::StreamCommands::xreadgroup).
#[derive(Debug, Clone, Copy, Default)]
pub struct XReadGroupOptions {
    count: Option<u64>,
    no_ack: bool,
}

impl XReadGroupOptions {
    /// All entries, which are pending until they are acknowledged.
    #[must_use]
    pub fn new() -> Self {
        XReadGroupOptions::default()
    }

    /// Up to so many of each stream: `COUNT`.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// They count as acknowledged at once: `NOACK`.
    #[must_use]
    pub fn no_ack(mut self) -> Self {
        self.no_ack = true;
        self
    }
}

impl ToArgs for XReadGroupOptions {
    fn write_args(&self, args: &mut Args) {
        if let Some(count) = self.count {
            if count == 0 {
                args.reject("a count of 0 asks for nothing; use at least 1");
            }
            args.push("COUNT").push(count);
        }
        if self.no_ack {
            args.push("NOACK");
        }
    }
}

/// Options of [`xclaim`](super::StreamCommands::xclaim).
#[derive(Debug, Clone, Copy, Default)]
pub struct XClaimOptions {
    idle: Option<Duration>,
    retry_count: Option<u64>,
    force: bool,
}

impl XClaimOptions {
    /// Just delivered, once more than before.
    #[must_use]
    pub fn new() -> Self {
        XClaimOptions::default()
    }

    /// Counts as held for so long already: `IDLE`.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Counts as delivered so often: `RETRYCOUNT`.
    #[must_use]
    pub fn retry_count(mut self, count: u64) -> Self {
        self.retry_count = Some(count);
        self
    }

    /// Also what is pending with nobody: `FORCE`.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

impl ToArgs for XClaimOptions {
    fn write_args(&self, args: &mut Args) {
        if let Some(idle) = self.idle {
            args.push("IDLE").push(u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
        }
        if let Some(count) = self.retry_count {
            args.push("RETRYCOUNT").push(count);
        }
        if self.force {
            args.push("FORCE");
        }
    }
}

/// Options of [`xpending_range`](super::StreamCommands::xpending_range).
#[derive(Debug, Clone, Default)]
pub struct XPendingOptions {
    pub(super) idle: Option<Duration>,
    pub(super) consumer: Option<String>,
}

impl XPendingOptions {
    /// Whoever holds them, however long.
    #[must_use]
    pub fn new() -> Self {
        XPendingOptions::default()
    }

    /// Only what has been held for so long: `IDLE`.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Only what this consumer holds.
    #[must_use]
    pub fn consumer(mut self, consumer: impl Into<String>) -> Self {
        self.consumer = Some(consumer.into());
        self
    }
}
