//! Times to live: durations and times in arguments and replies.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::command::{Args, Command, ToArgs};
use crate::error::Result;
use crate::platform;
use crate::reply::{FromReply, Reply};

/// When a key or a field expires: after a duration, or at a time.
///
/// Options that take an expiry take a [`Duration`] or a [`SystemTime`] too. Whole seconds are sent as `EX` or `EXAT`.
/// Anything finer is sent as `PX` or `PXAT`, rounded up to whole milliseconds, so nothing expires early. A duration of
/// 0 fails with `InvalidInput`.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::time::{Duration, SystemTime};
/// use redis_rest::{GenericCommands, StringCommands};
/// use redis_rest::commands::expiry::{Expiry, Ttl};
/// use redis_rest::commands::string::SetOptions;
///
/// let minute = SetOptions::new().expire(Expiry::seconds(60));
/// redis.set_with("session", "Ada", minute).await?;
/// assert_eq!(redis.ttl("session").await?, Ttl::Expires(Duration::from_secs(60)));
///
/// let past = SetOptions::new().expire(SystemTime::now() - Duration::from_secs(1));
/// redis.set_with("session", "Ada", past).await?;
/// assert_eq!(redis.ttl("session").await?, Ttl::Missing); // deleted at once
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry(When);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    After(Duration),
    At(SystemTime),
}

impl Expiry {
    /// Expires after `duration`.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Expiry(When::After(duration))
    }

    /// Expires after `seconds` seconds.
    #[must_use]
    pub fn seconds(seconds: u64) -> Self {
        Expiry::after(Duration::from_secs(seconds))
    }

    /// Expires after `millis` milliseconds.
    #[must_use]
    pub fn millis(millis: u64) -> Self {
        Expiry::after(Duration::from_millis(millis))
    }

    /// Expires at `time`. A time in the past deletes the key or the field at once.
    #[must_use]
    pub fn at(time: SystemTime) -> Self {
        Expiry(When::At(time))
    }

    pub(super) fn is_at_a_time(self) -> bool {
        matches!(self.0, When::At(_))
    }

    /// Returns the duration from now on or, for a time, from 1970 on.
    fn duration(self, args: &mut Args) -> Duration {
        match self.0 {
            When::After(duration) => {
                if duration.is_zero() {
                    args.reject("Redis refuses a time to live of 0; to delete at once, use DEL");
                }
                duration
            }
            When::At(time) => since_epoch(args, time),
        }
    }
}

impl From<Duration> for Expiry {
    fn from(duration: Duration) -> Self {
        Expiry::after(duration)
    }
}

impl From<SystemTime> for Expiry {
    fn from(time: SystemTime) -> Self {
        Expiry::at(time)
    }
}

impl ToArgs for Expiry {
    fn write_args(&self, args: &mut Args) {
        let duration = self.duration(args);
        let (word, unit) = match (self.is_at_a_time(), duration.subsec_nanos() == 0) {
            (false, true) => ("EX", Unit::Seconds),
            (false, false) => ("PX", Unit::Millis),
            (true, true) => ("EXAT", Unit::Seconds),
            (true, false) => ("PXAT", Unit::Millis),
        };
        args.push(word);
        push_count(args, duration, unit);
    }
}

/// What a write does with a time to live.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum SetExpiry {
    /// Removes it, as Redis does by default.
    #[default]
    Remove,
    Expire(Expiry),
    Keep,
}

impl ToArgs for SetExpiry {
    fn write_args(&self, args: &mut Args) {
        match self {
            SetExpiry::Remove => {}
            SetExpiry::Expire(expiry) => expiry.write_args(args),
            SetExpiry::Keep => {
                args.push("KEEPTTL");
            }
        }
    }
}

/// What `GETEX` and `HGETEX` do with a time to live. A [`Duration`], a [`SystemTime`] and an [`Expiry`] set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GetExpiry {
    /// Sets it: `EX`, `PX`, `EXAT` or `PXAT`.
    Expire(Expiry),
    /// Removes it: `PERSIST`.
    Persist,
}

impl From<Expiry> for GetExpiry {
    fn from(expiry: Expiry) -> Self {
        GetExpiry::Expire(expiry)
    }
}

impl From<Duration> for GetExpiry {
    fn from(duration: Duration) -> Self {
        GetExpiry::Expire(duration.into())
    }
}

impl From<SystemTime> for GetExpiry {
    fn from(time: SystemTime) -> Self {
        GetExpiry::Expire(time.into())
    }
}

impl ToArgs for GetExpiry {
    fn write_args(&self, args: &mut Args) {
        match self {
            GetExpiry::Expire(expiry) => expiry.write_args(args),
            GetExpiry::Persist => {
                args.push("PERSIST");
            }
        }
    }
}

/// The condition under which a time to live is set.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::time::Duration;
/// use redis_rest::{GenericCommands, StringCommands};
/// use redis_rest::commands::expiry::ExpireCondition;
///
/// redis.setex("session", Duration::from_secs(60), "Ada").await?;
/// let hour = Duration::from_secs(3600);
/// assert!(!redis.expire_with("session", hour, ExpireCondition::Nx).await?);
/// assert!(redis.expire_with("session", hour, ExpireCondition::Gt).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExpireCondition {
    /// Only if it has no time to live: `NX`.
    Nx,
    /// Only if it has a time to live: `XX`.
    Xx,
    /// Only if the new time to live is longer: `GT`. No time to live counts as infinitely long.
    Gt,
    /// Only if the new time to live is shorter: `LT`. No time to live counts as infinitely long.
    Lt,
}

impl ToArgs for ExpireCondition {
    fn write_args(&self, args: &mut Args) {
        args.push(match self {
            ExpireCondition::Nx => "NX",
            ExpireCondition::Xx => "XX",
            ExpireCondition::Gt => "GT",
            ExpireCondition::Lt => "LT",
        });
    }
}

/// The time to live, or the time of expiry, of a key or a field: `T` is a [`Duration`] or a [`SystemTime`].
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::GenericCommands;
/// use redis_rest::commands::expiry::Ttl;
///
/// match redis.ttl("session").await? {
///     Ttl::Missing => println!("no session"),
///     Ttl::Persistent => println!("the session never expires"),
///     Ttl::Expires(left) => println!("the session expires in {} seconds", left.as_secs()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ttl<T = Duration> {
    /// The key or the field does not exist.
    Missing,
    /// It never expires.
    Persistent,
    /// It expires after this duration, or at this time.
    Expires(T),
}

impl<T> Ttl<T> {
    /// Returns the remaining duration, or the time, if it expires.
    pub fn expires(self) -> Option<T> {
        match self {
            Ttl::Expires(left) => Some(left),
            Ttl::Missing | Ttl::Persistent => None,
        }
    }
}

/// The unit in which a command counts time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit {
    Seconds,
    Millis,
}

impl<R> Command<R> {
    /// Adds a duration, rounded up to whole units.
    pub(super) fn duration(self, duration: Duration, unit: Unit) -> Self {
        self.options(Count(duration, unit))
    }

    /// Adds a time to live. Zero deletes the key, so a second execution finds nothing to delete and returns another
    /// reply.
    pub(super) fn ttl(self, ttl: Duration, unit: Unit) -> Self {
        self.duration(ttl, unit).non_idempotent_if(ttl.is_zero())
    }

    /// Adds the time to expire at. A past time deletes the key, so a second execution finds nothing to delete and
    /// returns another reply.
    pub(super) fn time(self, time: SystemTime, unit: Unit) -> Self {
        self.options(At(time, unit)).non_idempotent_if(is_past(time))
    }

    /// Adds what happens to the time to live of a value that is read. A past time deletes the value, so a second
    /// execution returns another reply.
    pub(super) fn get_expiry(self, expiry: GetExpiry) -> Self {
        let deletes = matches!(expiry, GetExpiry::Expire(Expiry(When::At(time))) if is_past(time));
        self.options(expiry).non_idempotent_if(deletes)
    }
}

/// The time to live of a restored key.
pub(super) struct RestoreTtl(pub(super) Option<Expiry>);

impl ToArgs for RestoreTtl {
    fn write_args(&self, args: &mut Args) {
        match self.0 {
            // For RESTORE, 0 means no time to live. 1970 must not become that.
            Some(expiry) => {
                let duration = expiry.duration(args).max(Duration::from_millis(1));
                push_count(args, duration, Unit::Millis);
            }
            None => {
                args.push(0);
            }
        }
    }
}

/// A duration in a unit.
struct Count(Duration, Unit);

impl ToArgs for Count {
    fn write_args(&self, args: &mut Args) {
        push_count(args, self.0, self.1);
    }
}

/// A time in a unit, counted from 1970.
struct At(SystemTime, Unit);

impl ToArgs for At {
    fn write_args(&self, args: &mut Args) {
        let duration = since_epoch(args, self.0);
        push_count(args, duration, self.1);
    }
}

fn is_past(time: SystemTime) -> bool {
    time <= platform::now()
}

fn push_count(args: &mut Args, duration: Duration, unit: Unit) {
    let nanos_per_unit = match unit {
        Unit::Seconds => 1_000_000_000,
        Unit::Millis => 1_000_000,
    };
    let count = duration.as_nanos().div_ceil(nanos_per_unit);
    match i64::try_from(count) {
        Ok(count) => args.push(count),
        Err(_) => args.reject("the time is longer than Redis can count").push(0),
    };
}

fn since_epoch(args: &mut Args, time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_else(|_| {
        args.reject("the time to expire at is before 1970; to delete at once, use DEL");
        Duration::ZERO
    })
}

pub(super) fn ttl_seconds(reply: Reply<'_>) -> Result<Ttl> {
    decode(reply, Duration::from_secs)
}

pub(super) fn ttl_millis(reply: Reply<'_>) -> Result<Ttl> {
    decode(reply, Duration::from_millis)
}

pub(super) fn time_seconds(reply: Reply<'_>) -> Result<Ttl<SystemTime>> {
    decode(reply, |seconds| UNIX_EPOCH + Duration::from_secs(seconds))
}

pub(super) fn time_millis(reply: Reply<'_>) -> Result<Ttl<SystemTime>> {
    decode(reply, |millis| UNIX_EPOCH + Duration::from_millis(millis))
}

/// Decodes a time to live. `-2` and `-1` are Redis's codes for "missing" and "never expires".
fn decode<T>(reply: Reply<'_>, make: fn(u64) -> T) -> Result<Ttl<T>> {
    match i64::from_reply(reply)? {
        -2 => Ok(Ttl::Missing),
        -1 => Ok(Ttl::Persistent),
        // Past 300,000 years a SystemTime would overflow.
        left => match u64::try_from(left) {
            Ok(left) if left < 1 << 53 => Ok(Ttl::Expires(make(left))),
            _ => Err(reply.mismatch("a time to live")),
        },
    }
}
