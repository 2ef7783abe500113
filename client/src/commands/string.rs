//! Strings: text, bytes and counters.

use std::time::Duration;

use super::expiry::{Expiry, GetExpiry, SetExpiry, Unit};
use crate::arg::{Arg, ToArg};
use crate::command::{Args, Command, OneOrMorePairs, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on strings.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::StringCommands;
///
/// redis.set("name", "Ada").await?;
/// let name: Option<String> = redis.get("name").await?;
/// assert_eq!(name.as_deref(), Some("Ada"));
/// assert_eq!(redis.get::<String>("nobody").await?, None);
///
/// assert_eq!(redis.incrby("visits", 5).await?, 5);
/// let error = redis.incr("name").await.unwrap_err();
/// assert_eq!(error.code(), Some("ERR")); // "Ada" is not an integer
/// # Ok(())
/// # }
/// ```
pub trait StringCommands: Executor {
    /// Appends `value` to the value of `key`, and returns the new length in bytes.
    ///
    /// Creates the key if it does not exist.
    ///
    /// [APPEND](https://redis.io/docs/latest/commands/append/), O(1).
    fn append(self, key: impl ToArg, value: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::write("APPEND").key(key).arg(value))
    }

    /// Subtracts 1 from a counter, and returns the result.
    ///
    /// [DECR](https://redis.io/docs/latest/commands/decr/), O(1).
    fn decr(self, key: impl ToArg) -> Self::Out<i64> {
        self.execute(Command::write("DECR").key(key))
    }

    /// Subtracts `decrement` from a counter, and returns the result.
    ///
    /// [DECRBY](https://redis.io/docs/latest/commands/decrby/), O(1).
    fn decrby(self, key: impl ToArg, decrement: i64) -> Self::Out<i64> {
        self.execute(Command::write("DECRBY").key(key).arg(decrement))
    }

    /// Deletes `key` if its value meets `condition`, and returns whether it was deleted.
    ///
    /// Needs Redis 8.4.
    ///
    /// [DELEX](https://redis.io/docs/latest/commands/delex/), O(1) for a value, O(n) in the length of the value for a
    /// digest.
    fn delex(self, key: impl ToArg, condition: Compare<'_>) -> Self::Out<bool> {
        self.execute(Command::write("DELEX").key(key).options(condition))
    }

    /// Returns the XXH3 digest of the value as hexadecimal text, or `None` if the key does not exist.
    ///
    /// Needs Redis 8.4.
    ///
    /// [DIGEST](https://redis.io/docs/latest/commands/digest/), O(n) in the length of the value.
    fn digest(self, key: impl ToArg) -> Self::Out<Option<String>> {
        self.execute(Command::read("DIGEST").key(key))
    }

    /// Returns the value of `key`, or `None` if the key does not exist.
    ///
    /// [GET](https://redis.io/docs/latest/commands/get/), O(1).
    fn get<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::read("GET").key(key))
    }

    /// Deletes `key`, and returns its value.
    ///
    /// [GETDEL](https://redis.io/docs/latest/commands/getdel/), O(1).
    fn getdel<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("GETDEL").key(key))
    }

    /// Returns the value of `key`, and sets or removes the key's time to live.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use std::time::Duration;
    /// use redis_rest::{GenericCommands, StringCommands};
    /// use redis_rest::commands::expiry::{GetExpiry, Ttl};
    ///
    /// redis.set("session", "Ada").await?;
    /// let user: Option<String> = redis.getex("session", Duration::from_secs(60)).await?;
    /// assert_eq!(user.as_deref(), Some("Ada"));
    /// assert_eq!(redis.ttl("session").await?, Ttl::Expires(Duration::from_secs(60)));
    ///
    /// redis.getex::<String>("session", GetExpiry::Persist).await?;
    /// assert_eq!(redis.ttl("session").await?, Ttl::Persistent);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [GETEX](https://redis.io/docs/latest/commands/getex/), O(1).
    fn getex<V: FromReply>(self, key: impl ToArg, expiry: impl Into<GetExpiry>) -> Self::Out<Option<V>> {
        self.execute(Command::idempotent_write("GETEX").key(key).get_expiry(expiry.into()))
    }

    /// Returns the bytes from `start` to `end`, both included.
    ///
    /// Negative positions count from the end.
    ///
    /// [GETRANGE](https://redis.io/docs/latest/commands/getrange/), O(n) in the bytes returned.
    fn getrange<V: FromReply>(self, key: impl ToArg, start: i64, end: i64) -> Self::Out<V> {
        self.execute(Command::read("GETRANGE").key(key).arg(start).arg(end))
    }

    /// Sets the value of `key`, and returns the previous value. Deprecated in Redis in favour of
    /// [`set_get`](Self::set_get).
    ///
    /// [GETSET](https://redis.io/docs/latest/commands/getset/), O(1).
    fn getset<V: FromReply>(self, key: impl ToArg, value: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("GETSET").key(key).arg(value))
    }

    /// Adds 1 to a counter, and returns the result.
    ///
    /// A key that does not exist counts as 0.
    ///
    /// [INCR](https://redis.io/docs/latest/commands/incr/), O(1).
    fn incr(self, key: impl ToArg) -> Self::Out<i64> {
        self.execute(Command::write("INCR").key(key))
    }

    /// Adds `increment` to a counter, and returns the result.
    ///
    /// [INCRBY](https://redis.io/docs/latest/commands/incrby/), O(1).
    fn incrby(self, key: impl ToArg, increment: i64) -> Self::Out<i64> {
        self.execute(Command::write("INCRBY").key(key).arg(increment))
    }

    /// Adds `increment` to a floating-point number, and returns the result.
    ///
    /// Fails with `InvalidInput` if `increment` is not finite.
    ///
    /// [INCRBYFLOAT](https://redis.io/docs/latest/commands/incrbyfloat/), O(1).
    fn incrbyfloat(self, key: impl ToArg, increment: f64) -> Self::Out<f64> {
        self.execute(Command::write("INCRBYFLOAT").key(key).finite("increment", increment))
    }

    /// Returns the value of each key, in the order of `keys`.
    ///
    /// [MGET](https://redis.io/docs/latest/commands/mget/), O(n) in the keys.
    fn mget<V: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::read("MGET").keys(keys))
    }

    /// Sets several keys in one atomic step.
    ///
    /// [MSET](https://redis.io/docs/latest/commands/mset/), O(n) in the keys.
    fn mset<K>(self, values: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>) -> Self::Out<()> {
        self.execute(Command::idempotent_write("MSET").keys_and_values(values))
    }

    /// Sets several keys if none of them exists, and returns whether they were set.
    ///
    /// [MSETNX](https://redis.io/docs/latest/commands/msetnx/), O(n) in the keys.
    fn msetnx<K>(self, values: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>) -> Self::Out<bool> {
        self.execute(Command::write("MSETNX").keys_and_values(values))
    }

    /// Sets the value and the time to live of `key`. The time to live is rounded up to whole milliseconds.
    ///
    /// [PSETEX](https://redis.io/docs/latest/commands/psetex/), O(1).
    fn psetex(self, key: impl ToArg, ttl: Duration, value: impl ToArg) -> Self::Out<()> {
        self.execute(Command::idempotent_write("PSETEX").key(key).duration(ttl, Unit::Millis).arg(value))
    }

    /// Sets the value of `key`, and removes its time to live.
    ///
    /// [SET](https://redis.io/docs/latest/commands/set/), O(1).
    fn set(self, key: impl ToArg, value: impl ToArg) -> Self::Out<()> {
        self.execute(Command::idempotent_write("SET").key(key).arg(value))
    }

    /// Sets the value of `key` under a condition or with a time to live, and returns whether it was set.
    ///
    /// [`SetOptions`] shows an example.
    ///
    /// [SET](https://redis.io/docs/latest/commands/set/), O(1).
    fn set_with(self, key: impl ToArg, value: impl ToArg, options: SetOptions<'_>) -> Self::Out<bool> {
        let command = Command::idempotent_write("SET").key(key).arg(value).options(&options);
        let command = command.non_idempotent_if(options.condition.is_some());
        self.submit(command.decode_with(was_set))
    }

    /// Sets the value of `key`, and returns the previous value: `SET` with `GET`.
    ///
    /// With a condition, it returns the current value whether or not the condition is met.
    ///
    /// [SET](https://redis.io/docs/latest/commands/set/), O(1).
    fn set_get<V: FromReply>(
        self,
        key: impl ToArg,
        value: impl ToArg,
        options: SetOptions<'_>,
    ) -> Self::Out<Option<V>> {
        self.execute(Command::write("SET").key(key).arg(value).options(SetGet(options)))
    }

    /// Sets the value and the time to live of `key`. The time to live is rounded up to whole seconds.
    ///
    /// [SETEX](https://redis.io/docs/latest/commands/setex/), O(1).
    fn setex(self, key: impl ToArg, ttl: Duration, value: impl ToArg) -> Self::Out<()> {
        self.execute(Command::idempotent_write("SETEX").key(key).duration(ttl, Unit::Seconds).arg(value))
    }

    /// Sets the value of `key` if the key does not exist, and returns whether it was set.
    ///
    /// [SETNX](https://redis.io/docs/latest/commands/setnx/), O(1).
    fn setnx(self, key: impl ToArg, value: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("SETNX").key(key).arg(value))
    }

    /// Overwrites part of the value from byte `offset` on, and returns the new length in bytes.
    ///
    /// Pads a shorter value with zero bytes.
    ///
    /// [SETRANGE](https://redis.io/docs/latest/commands/setrange/), O(n) in the length of `value`.
    fn setrange(self, key: impl ToArg, offset: u64, value: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::idempotent_write("SETRANGE").key(key).arg(offset).arg(value))
    }

    /// Returns the length of the value in bytes, or 0 if the key does not exist.
    ///
    /// [STRLEN](https://redis.io/docs/latest/commands/strlen/), O(1).
    fn strlen(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("STRLEN").key(key))
    }
}

impl<E: Executor> StringCommands for E {}

/// Decodes OK as true and nil as false.
pub(super) fn was_set(reply: Reply<'_>) -> Result<bool> {
    Ok(Option::<()>::from_reply(reply)?.is_some())
}

impl<R> Command<R> {
    /// Adds a number that must be finite, because Redis refuses to calculate with NaN and infinities.
    pub(super) fn finite(self, what: &str, number: f64) -> Self {
        if number.is_finite() { self.arg(number) } else { self.reject(format!("the {what} is not a finite number")) }
    }
}

/// A condition on the current value of a key, for [`delex`](StringCommands::delex).
///
/// [`SetOptions`] has the same conditions. They need Redis 8.4; Valkey has only `IFEQ`, and only for `SET`.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::StringCommands;
/// use redis_rest::commands::string::Compare;
///
/// redis.set("lock", "worker-1").await?;
/// assert!(!redis.delex("lock", Compare::ifeq("worker-2")).await?);
/// assert!(redis.delex("lock", Compare::ifeq("worker-1")).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Compare<'a> {
    word: &'static str,
    with: Arg<'a>,
}

impl<'a> Compare<'a> {
    /// The current value equals `value`: `IFEQ`.
    pub fn ifeq(value: &'a (impl ToArg + ?Sized)) -> Self {
        Compare { word: "IFEQ", with: value.to_arg() }
    }

    /// The current value differs from `value`: `IFNE`.
    pub fn ifne(value: &'a (impl ToArg + ?Sized)) -> Self {
        Compare { word: "IFNE", with: value.to_arg() }
    }

    /// The [digest](StringCommands::digest) of the current value equals `digest`: `IFDEQ`.
    #[must_use]
    pub fn ifdeq(digest: &'a str) -> Self {
        Compare { word: "IFDEQ", with: Arg::from(digest) }
    }

    /// The [digest](StringCommands::digest) of the current value differs from `digest`: `IFDNE`.
    #[must_use]
    pub fn ifdne(digest: &'a str) -> Self {
        Compare { word: "IFDNE", with: Arg::from(digest) }
    }
}

impl ToArgs for Compare<'_> {
    fn write_args(&self, args: &mut Args) {
        args.push(self.word).push(&self.with);
    }
}

/// Options of [`set_with`](StringCommands::set_with) and [`set_get`](StringCommands::set_get).
///
/// They hold at most one condition and one time to live; a later call replaces an earlier one.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::time::Duration;
/// use redis_rest::StringCommands;
/// use redis_rest::commands::string::SetOptions;
///
/// let lock = SetOptions::new().nx().expire(Duration::from_secs(30));
/// assert!(redis.set_with("lock", "worker-1", lock.clone()).await?);
/// assert!(!redis.set_with("lock", "worker-2", lock).await?); // the key exists
///
/// let holder: Option<String> = redis.set_get("lock", "worker-3", SetOptions::new().xx().keepttl()).await?;
/// assert_eq!(holder.as_deref(), Some("worker-1"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct SetOptions<'a> {
    condition: Option<SetCondition<'a>>,
    expiry: SetExpiry,
}

#[derive(Debug, Clone)]
enum SetCondition<'a> {
    Nx,
    Xx,
    Compare(Compare<'a>),
}

impl ToArgs for SetCondition<'_> {
    fn write_args(&self, args: &mut Args) {
        match self {
            SetCondition::Nx => {
                args.push("NX");
            }
            SetCondition::Xx => {
                args.push("XX");
            }
            SetCondition::Compare(compare) => compare.write_args(args),
        }
    }
}

impl<'a> SetOptions<'a> {
    /// Creates options without a condition and without a time to live.
    #[must_use]
    pub fn new() -> Self {
        SetOptions::default()
    }

    /// Sets the value only if the key does not exist: `NX`.
    #[must_use]
    pub fn nx(self) -> Self {
        self.only(SetCondition::Nx)
    }

    /// Sets the value only if the key exists: `XX`.
    #[must_use]
    pub fn xx(self) -> Self {
        self.only(SetCondition::Xx)
    }

    /// Sets the value only if the current value equals `value`: `IFEQ`. Needs Redis 8.4 or Valkey 8.1.
    #[must_use]
    pub fn ifeq(self, value: &'a (impl ToArg + ?Sized)) -> Self {
        self.only(SetCondition::Compare(Compare::ifeq(value)))
    }

    /// Sets the value only if the current value differs from `value`: `IFNE`. Needs Redis 8.4.
    #[must_use]
    pub fn ifne(self, value: &'a (impl ToArg + ?Sized)) -> Self {
        self.only(SetCondition::Compare(Compare::ifne(value)))
    }

    /// Sets the value only if the [digest](StringCommands::digest) of the current value equals `digest`: `IFDEQ`. Needs
    /// Redis 8.4.
    #[must_use]
    pub fn ifdeq(self, digest: &'a str) -> Self {
        self.only(SetCondition::Compare(Compare::ifdeq(digest)))
    }

    /// Sets the value only if the [digest](StringCommands::digest) of the current value differs from `digest`: `IFDNE`.
    /// Needs Redis 8.4.
    #[must_use]
    pub fn ifdne(self, digest: &'a str) -> Self {
        self.only(SetCondition::Compare(Compare::ifdne(digest)))
    }

    /// Sets the key's time to live: `EX`, `PX`, `EXAT` or `PXAT`.
    #[must_use]
    pub fn expire(self, expiry: impl Into<Expiry>) -> Self {
        SetOptions { expiry: SetExpiry::Expire(expiry.into()), ..self }
    }

    /// Keeps the key's time to live: `KEEPTTL`. Without it, `SET` removes the time to live.
    #[must_use]
    pub fn keepttl(self) -> Self {
        SetOptions { expiry: SetExpiry::Keep, ..self }
    }

    fn only(self, condition: SetCondition<'a>) -> Self {
        SetOptions { condition: Some(condition), ..self }
    }
}

impl ToArgs for SetOptions<'_> {
    fn write_args(&self, args: &mut Args) {
        self.condition.write_args(args);
        self.expiry.write_args(args);
    }
}

/// Writes `GET` between the condition and the time to live, where Redis documents it.
struct SetGet<'a>(SetOptions<'a>);

impl ToArgs for SetGet<'_> {
    fn write_args(&self, args: &mut Args) {
        self.0.condition.write_args(args);
        args.push("GET");
        self.0.expiry.write_args(args);
    }
}
