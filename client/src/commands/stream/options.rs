//! Options of the stream commands.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::StreamId;
use crate::arg::{Arg, ToArg};
use crate::command::{Args, ToArgs};

/// The id of a new entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewId {
    /// The server chooses the id: `*`.
    #[default]
    Auto,
    /// This time in milliseconds; the server chooses the sequence: `1526919030474-*`.
    At(u64),
    /// This id, which must be greater than all ids of the stream.
    Exact(StreamId),
}

/// What happens to the references of groups to a removed entry. Needs Redis 8.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefPolicy {
    /// The references stay: `KEEPREF`.
    #[default]
    Keep,
    /// The references are removed too: `DELREF`.
    Delete,
    /// The entry is removed only if all groups have read and acknowledged it: `ACKED`.
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

/// Which old entries to remove.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::StreamCommands;
/// use redis_rest::commands::stream::Trim;
///
/// redis.xtrim("orders", Trim::max_len(1000)).await?;
/// assert!(redis.xlen("orders").await? <= 1000);
///
/// // An approximate trim is cheaper. Only an approximate trim takes a limit.
/// redis.xtrim("orders", Trim::max_len(1000).approximately().limit(100)).await?;
/// assert!(redis.xtrim("orders", Trim::max_len(1000).limit(100)).await.unwrap_err().is_invalid_input());
/// # Ok(())
/// # }
/// ```
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
    /// Keeps the newest `entries`: `MAXLEN`.
    #[must_use]
    pub fn max_len(entries: u64) -> Self {
        Trim { threshold: Threshold::MaxLen(entries), approximate: false, limit: None, policy: None }
    }

    /// Keeps the entries from `id` on: `MINID`.
    #[must_use]
    pub fn min_id(id: StreamId) -> Self {
        Trim { threshold: Threshold::MinId(id), approximate: false, limit: None, policy: None }
    }

    /// Keeps some more entries where that is cheaper: `~`.
    #[must_use]
    pub fn approximately(mut self) -> Self {
        self.approximate = true;
        self
    }

    /// Removes at most `entries` at once: `LIMIT`. `InvalidInput` if the trim is not
    /// [approximate](Self::approximately).
    #[must_use]
    pub fn limit(mut self, entries: u64) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Sets what happens to the references of groups. Needs Redis 8.2.
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
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::StreamCommands;
/// use redis_rest::commands::stream::{NewId, StreamId, Trim, XAddOptions};
///
/// let bounded = XAddOptions::new().trim(Trim::max_len(1000).approximately());
/// assert!(redis.xadd_with("log", [("event", "paid")], bounded).await?.is_some());
///
/// let exact = XAddOptions::new().id(NewId::Exact(StreamId::new(1, 0)));
/// assert_eq!(redis.xadd_with("versions", [("event", "paid")], exact).await?, Some(StreamId::new(1, 0)));
/// // The id must be greater than the last one.
/// assert!(redis.xadd_with("versions", [("event", "paid")], exact).await.is_err());
///
/// let existing = XAddOptions::new().no_mkstream();
/// assert_eq!(redis.xadd_with("no-such-stream", [("event", "paid")], existing).await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct XAddOptions {
    id: NewId,
    no_mkstream: bool,
    trim: Option<Trim>,
}

impl XAddOptions {
    /// The server chooses the id, creates the stream if it does not exist, and trims nothing.
    #[must_use]
    pub fn new() -> Self {
        XAddOptions::default()
    }

    /// Sets the entry's id.
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

/// Where a group starts to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupStart {
    /// At the first entry.
    Beginning,
    /// After the last entry, so that the group reads only new ones: `$`.
    End,
    /// After this id.
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

/// Options of [`xgroup_create_with`](super::StreamCommands::xgroup_create_with).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::StreamCommands;
/// use redis_rest::commands::stream::{GroupStart, StreamId, XGroupCreateOptions};
///
/// // The group starts after the hundredth entry, so its lag is known from the start.
/// let after = GroupStart::After(StreamId::new(1526919030474, 55));
/// let options = XGroupCreateOptions::new().mkstream().entries_read(100);
/// redis.xgroup_create_with("orders", "billing", after, options).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct XGroupCreateOptions {
    mkstream: bool,
    entries_read: Option<u64>,
}

impl XGroupCreateOptions {
    /// Creates options with which the stream must exist, and the server determines how many of its entries count as read,
    /// if it can.
    #[must_use]
    pub fn new() -> Self {
        XGroupCreateOptions::default()
    }

    /// Creates an empty stream if the key does not exist: `MKSTREAM`.
    #[must_use]
    pub fn mkstream(mut self) -> Self {
        self.mkstream = true;
        self
    }

    /// Sets how many entries of the stream count as read, so that the group's lag is known: `ENTRIESREAD`. Needs Redis
    /// 7.
    #[must_use]
    pub fn entries_read(mut self, entries: u64) -> Self {
        self.entries_read = Some(entries);
        self
    }
}

impl ToArgs for XGroupCreateOptions {
    fn write_args(&self, args: &mut Args) {
        if self.mkstream {
            args.push("MKSTREAM");
        }
        if let Some(entries) = self.entries_read {
            args.push("ENTRIESREAD").push(entries);
        }
    }
}

/// Which entries a consumer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPosition {
    /// Entries that no consumer of the group has read: `>`.
    New,
    /// Entries after this id that are pending with the consumer.
    PendingAfter(StreamId),
}

/// The position in a stream from which [`xread`](super::StreamCommands::xread) reads. A [`StreamId`] converts to it.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::StreamCommands;
/// use redis_rest::commands::stream::ReadPosition;
///
/// let latest = [("orders", ReadPosition::Last), ("payments", ReadPosition::Last)];
/// for stream in redis.xread::<String, Vec<(String, String)>>(latest, None).await? {
///     println!("the last entry of {} is {:?}", stream.key, stream.entries.first());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadPosition {
    /// The entries after this id.
    After(StreamId),
    /// The last entry alone: `+`. Needs Redis 7.4.
    Last,
    /// The entries that come while the command waits: `$`. No command waits over REST, so it returns none.
    End,
}

impl From<StreamId> for ReadPosition {
    fn from(id: StreamId) -> Self {
        ReadPosition::After(id)
    }
}

impl ToArg for ReadPosition {
    fn to_arg(&self) -> Arg<'_> {
        match self {
            ReadPosition::After(id) => Arg::from(id.to_string()),
            ReadPosition::Last => Arg::from("+"),
            ReadPosition::End => Arg::from("$"),
        }
    }
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
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::StreamCommands;
/// use redis_rest::commands::stream::{GroupPosition, XReadGroupOptions};
///
/// let new = [("orders", GroupPosition::New)];
/// let at_most_once = XReadGroupOptions::new().count(10).no_ack();
/// redis.xreadgroup::<String, Vec<(String, String)>>("billing", "worker-1", new, at_most_once).await?;
/// assert_eq!(redis.xpending("orders", "billing").await?.count, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct XReadGroupOptions {
    count: Option<u64>,
    no_ack: bool,
}

impl XReadGroupOptions {
    /// Reads all entries. They are pending until the consumer acknowledges them.
    #[must_use]
    pub fn new() -> Self {
        XReadGroupOptions::default()
    }

    /// Reads at most `count` entries of each stream: `COUNT`.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Acknowledges the entries at once, so that they are never pending: `NOACK`.
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

/// Options of [`xclaim`](super::StreamCommands::xclaim) and [`xclaim_justid`](super::StreamCommands::xclaim_justid).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::time::Duration;
///
/// use redis_rest::StreamCommands;
/// use redis_rest::commands::stream::{StreamId, XClaimOptions};
///
/// let id = StreamId::new(1526919030474, 55);
/// let minute = Duration::from_secs(60);
/// let options = XClaimOptions::new().retry_count(1);
/// let claimed = redis.xclaim_justid("orders", "billing", "worker-2", minute, [id], options).await?;
/// // Empty if the entry is not pending, or has been pending for less than a minute.
/// assert!(claimed.is_empty() || claimed == [id]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct XClaimOptions {
    delivered: Option<Delivered>,
    retry_count: Option<u64>,
    force: bool,
    last_id: Option<StreamId>,
}

/// When each claimed entry counts as delivered.
#[derive(Debug, Clone, Copy)]
enum Delivered {
    Ago(Duration),
    At(SystemTime),
}

impl XClaimOptions {
    /// Resets the idle time of each entry and increments its number of deliveries.
    #[must_use]
    pub fn new() -> Self {
        XClaimOptions::default()
    }

    /// Sets the idle time of each entry: `IDLE`. It replaces `TIME`.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.delivered = Some(Delivered::Ago(idle));
        self
    }

    /// Sets the time at which each entry was last delivered, rounded down to whole milliseconds: `TIME`. It replaces
    /// `IDLE`.
    #[must_use]
    pub fn time(mut self, delivered: SystemTime) -> Self {
        self.delivered = Some(Delivered::At(delivered));
        self
    }

    /// Sets the number of deliveries of each entry: `RETRYCOUNT`.
    #[must_use]
    pub fn retry_count(mut self, count: u64) -> Self {
        self.retry_count = Some(count);
        self
    }

    /// Claims entries that are pending with no consumer too: `FORCE`.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// Raises the id of the last entry that the group delivered to `id`, if it is lower: `LASTID`.
    #[must_use]
    pub fn last_id(mut self, id: StreamId) -> Self {
        self.last_id = Some(id);
        self
    }
}

impl ToArgs for XClaimOptions {
    fn write_args(&self, args: &mut Args) {
        match self.delivered {
            Some(Delivered::Ago(idle)) => {
                args.push("IDLE").push(millis(idle));
            }
            Some(Delivered::At(time)) => match time.duration_since(UNIX_EPOCH) {
                Ok(since) => {
                    args.push("TIME").push(millis(since));
                }
                Err(_) => {
                    args.reject("the time of the last delivery is before 1970");
                }
            },
            None => {}
        }
        if let Some(count) = self.retry_count {
            args.push("RETRYCOUNT").push(count);
        }
        if self.force {
            args.push("FORCE");
        }
        if let Some(id) = self.last_id {
            args.push("LASTID").push(id);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Options of [`xpending_range`](super::StreamCommands::xpending_range).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::time::Duration;
///
/// use redis_rest::StreamCommands;
/// use redis_rest::commands::stream::XPendingOptions;
///
/// let stuck = XPendingOptions::new().idle(Duration::from_secs(60)).consumer("worker-1");
/// for entry in redis.xpending_range("orders", "billing", .., 10, stuck).await? {
///     println!("{} was delivered {} times", entry.id, entry.deliveries);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct XPendingOptions {
    /// Returns only entries that have been pending for at least `idle`: `IDLE`.
    pub(super) idle: Option<Duration>,
    /// Returns only entries that are pending with this consumer.
    pub(super) consumer: Option<String>,
}

impl XPendingOptions {
    /// All consumers, and any idle time.
    #[must_use]
    pub fn new() -> Self {
        XPendingOptions::default()
    }

    /// Returns only entries that have been pending for at least `idle`: `IDLE`.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Returns only entries that are pending with this consumer.
    #[must_use]
    pub fn consumer(mut self, consumer: impl Into<String>) -> Self {
        self.consumer = Some(consumer.into());
        self
    }
}
