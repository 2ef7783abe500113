//! Strings: text, bytes and counters.

use std::time::Duration;

use super::expiry::{Expiry, GetExpiry, SetExpiry, Unit};
use crate::arg::{Arg, ToArg};
use crate::command::Command;
use crate::command::{Args, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on strings.
///
/// ```
/// use redis_rest::{Build, StringCommands};
/// use redis_rest::commands::string::SetOptions;
///
/// assert_eq!(Build.get::<String>("name").args(), ["GET", "name"]);
/// let lock = SetOptions::new().nx().ex(30);
/// assert_eq!(Build.set_with("lock", "me", lock).args(), ["SET", "lock", "me", "NX", "EX", "30"]);
/// ```
pub trait StringCommands: Executor {
    /// Appends `value`, and gives the new length in bytes. [APPEND](https://redis.io/docs/latest/commands/append/), O(1).
    fn append(self, key: impl ToArg, value: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::write("APPEND").arg(key).arg(value))
    }

    /// Subtracts 1 from a counter, and gives the result. [DECR](https://redis.io/docs/latest/commands/decr/), O(1).
    fn decr(self, key: impl ToArg) -> Self::Out<i64> {
        self.execute(Command::write("DECR").arg(key))
    }

    /// Subtracts from a counter, and gives the result. [DECRBY](https://redis.io/docs/latest/commands/decrby/), O(1).
    fn decrby(self, key: impl ToArg, decrement: i64) -> Self::Out<i64> {
        self.execute(Command::write("DECRBY").arg(key).arg(decrement))
    }

    /// Deletes the key if its value compares so, and says whether it did. Redis 8.4 and later.
    /// [DELEX](https://redis.io/docs/latest/commands/delex/), O(1) by value, O(n) in its length by digest.
    fn delex(self, key: impl ToArg, condition: Compare<'_>) -> Self::Out<bool> {
        self.execute(Command::write("DELEX").arg(key).options(condition))
    }

    /// The XXH3 digest of the value, as hexadecimal text; `None` without the key. Redis 8.4 and later.
    /// [DIGEST](https://redis.io/docs/latest/commands/digest/), O(n) in the value's length.
    fn digest(self, key: impl ToArg) -> Self::Out<Option<String>> {
        self.execute(Command::read("DIGEST").arg(key))
    }

    /// The value; `None` without the key. [GET](https://redis.io/docs/latest/commands/get/), O(1).
    fn get<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::read("GET").arg(key))
    }

    /// The value, and deletes the key. [GETDEL](https://redis.io/docs/latest/commands/getdel/), O(1).
    fn getdel<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("GETDEL").arg(key))
    }

    /// The value, and sets or removes the key's expiry. [GETEX](https://redis.io/docs/latest/commands/getex/), O(1).
    fn getex<V: FromReply>(self, key: impl ToArg, expiry: GetExpiry) -> Self::Out<Option<V>> {
        self.execute(Command::idempotent_write("GETEX").arg(key).get_expiry(expiry))
    }

    /// The bytes from `start` to `end`, both included; negative counts from the end.
    /// [GETRANGE](https://redis.io/docs/latest/commands/getrange/), O(n) in what is returned.
    fn getrange<V: FromReply>(self, key: impl ToArg, start: i64, end: i64) -> Self::Out<V> {
        self.execute(Command::read("GETRANGE").arg(key).arg(start).arg(end))
    }

    /// Sets the value, and gives the one before. Deprecated in Redis in favour of [`set_get`](Self::set_get).
    /// [GETSET](https://redis.io/docs/latest/commands/getset/), O(1).
    fn getset<V: FromReply>(self, key: impl ToArg, value: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::write("GETSET").arg(key).arg(value))
    }

    /// Adds 1 to a counter, and gives the result. [INCR](https://redis.io/docs/latest/commands/incr/), O(1).
    fn incr(self, key: impl ToArg) -> Self::Out<i64> {
        self.execute(Command::write("INCR").arg(key))
    }

    /// Adds to a counter, and gives the result. [INCRBY](https://redis.io/docs/latest/commands/incrby/), O(1).
    fn incrby(self, key: impl ToArg, increment: i64) -> Self::Out<i64> {
        self.execute(Command::write("INCRBY").arg(key).arg(increment))
    }

    /// Adds to a number, and gives the result. [INCRBYFLOAT](https://redis.io/docs/latest/commands/incrbyfloat/), O(1).
    fn incrbyfloat(self, key: impl ToArg, increment: f64) -> Self::Out<f64> {
        self.execute(Command::write("INCRBYFLOAT").arg(key).finite("increment", increment))
    }

    /// The value of each key, in order. [MGET](https://redis.io/docs/latest/commands/mget/), O(n) in the keys.
    fn mget<V: FromReply>(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::read("MGET").one_or_more("key", keys))
    }

    /// Sets all values at once. [MSET](https://redis.io/docs/latest/commands/mset/), O(n) in the keys.
    fn mset<K: ToArg, V: ToArg>(self, values: impl IntoIterator<Item = (K, V)>) -> Self::Out<()> {
        self.execute(Command::idempotent_write("MSET").one_or_more_pairs("key and value", values))
    }

    /// Sets all values if none of the keys exists, and says whether it did.
    /// [MSETNX](https://redis.io/docs/latest/commands/msetnx/), O(n) in the keys.
    fn msetnx<K: ToArg, V: ToArg>(self, values: impl IntoIterator<Item = (K, V)>) -> Self::Out<bool> {
        self.execute(Command::write("MSETNX").one_or_more_pairs("key and value", values))
    }

    /// Sets a value that expires after `ttl`, counted in milliseconds.
    /// [PSETEX](https://redis.io/docs/latest/commands/psetex/), O(1).
    fn psetex(self, key: impl ToArg, ttl: Duration, value: impl ToArg) -> Self::Out<()> {
        self.execute(Command::idempotent_write("PSETEX").arg(key).duration(ttl, Unit::Millis).arg(value))
    }

    /// Sets the value, and removes the key's expiry. [SET](https://redis.io/docs/latest/commands/set/), O(1).
    fn set(self, key: impl ToArg, value: impl ToArg) -> Self::Out<()> {
        self.execute(Command::idempotent_write("SET").arg(key).arg(value))
    }

    /// Sets the value under a condition or with an expiry, and says whether it was set.
    /// [SET](https://redis.io/docs/latest/commands/set/), O(1).
    fn set_with(self, key: impl ToArg, value: impl ToArg, options: SetOptions<'_>) -> Self::Out<bool> {
        let command = Command::idempotent_write("SET").arg(key).arg(value).options(&options);
        let command = command.non_idempotent_if(options.condition.is_some());
        self.submit(command.decode_with(was_set))
    }

    /// Sets the value, and gives the one before: `SET … GET`. With a condition it gives the value that is there,
    /// whether or not that was replaced. [SET](https://redis.io/docs/latest/commands/set/), O(1).
    fn set_get<V: FromReply>(
        self,
        key: impl ToArg,
        value: impl ToArg,
        options: SetOptions<'_>,
    ) -> Self::Out<Option<V>> {
        self.execute(Command::write("SET").arg(key).arg(value).options(SetGet(options)))
    }

    /// Sets a value that expires after `ttl`, counted in seconds. [SETEX](https://redis.io/docs/latest/commands/setex/), O(1).
    fn setex(self, key: impl ToArg, ttl: Duration, value: impl ToArg) -> Self::Out<()> {
        self.execute(Command::idempotent_write("SETEX").arg(key).duration(ttl, Unit::Seconds).arg(value))
    }

    /// Sets the value if the key does not exist, and says whether it did.
    /// [SETNX](https://redis.io/docs/latest/commands/setnx/), O(1).
    fn setnx(self, key: impl ToArg, value: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("SETNX").arg(key).arg(value))
    }

    /// Overwrites from `offset` on, filling up with zero bytes, and gives the new length.
    /// [SETRANGE](https://redis.io/docs/latest/commands/setrange/), O(n) in the value's length.
    fn setrange(self, key: impl ToArg, offset: u64, value: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::idempotent_write("SETRANGE").arg(key).arg(offset).arg(value))
    }

    /// The value's length in bytes; 0 without the key. [STRLEN](https://redis.io/docs/latest/commands/strlen/), O(1).
    fn strlen(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("STRLEN").arg(key))
    }
}

impl<E: Executor> StringCommands for E {}

/// Whether something was set, which Redis says by OK and nil.
pub(super) fn was_set(reply: Reply<'_>) -> Result<bool> {
    Ok(Option::<()>::from_reply(reply)?.is_some())
}

impl<R> Command<R> {
    /// Adds a number that must not be NaN or infinite: Redis refuses to count with those.
    pub(super) fn finite(self, what: &str, number: f64) -> Self {
        if number.is_finite() { self.arg(number) } else { self.reject(format!("the {what} is not a finite number")) }
    }
}

/// How a value must compare with the one that is there. Redis 8.4 and later; Valkey knows `equals` for `SET`.
#[derive(Debug, Clone)]
pub struct Compare<'a> {
    word: &'static str,
    with: Arg<'a>,
}

impl<'a> Compare<'a> {
    /// The value that is there is `value`: `IFEQ`.
    pub fn equals(value: &'a (impl ToArg + ?Sized)) -> Self {
        Compare { word: "IFEQ", with: value.to_arg() }
    }

    /// The value that is there is not `value`: `IFNE`.
    pub fn differs(value: &'a (impl ToArg + ?Sized)) -> Self {
        Compare { word: "IFNE", with: value.to_arg() }
    }

    /// The value that is there has this [digest](StringCommands::digest): `IFDEQ`.
    #[must_use]
    pub fn digest_equals(digest: &'a str) -> Self {
        Compare { word: "IFDEQ", with: Arg::from(digest) }
    }

    /// The value that is there has not this [digest](StringCommands::digest): `IFDNE`.
    #[must_use]
    pub fn digest_differs(digest: &'a str) -> Self {
        Compare { word: "IFDNE", with: Arg::from(digest) }
    }
}

impl ToArgs for Compare<'_> {
    fn write_args(&self, args: &mut Args) {
        args.push(self.word).push(&self.with);
    }
}

/// Options of [`set_with`](StringCommands::set_with) and [`set_get`](StringCommands::set_get): at most one condition
/// and one expiry, the last one given.
#[derive(Debug, Clone, Default)]
pub struct SetOptions<'a> {
    condition: Option<SetCondition<'a>>,
    expiry: Option<SetExpiry>,
}

#[derive(Debug, Clone)]
enum SetCondition<'a> {
    IfMissing,
    IfExists,
    If(Compare<'a>),
}

impl<'a> SetOptions<'a> {
    /// No condition, no expiry.
    #[must_use]
    pub fn new() -> Self {
        SetOptions::default()
    }

    /// Only if the key does not exist: `NX`.
    #[must_use]
    pub fn nx(mut self) -> Self {
        self.condition = Some(SetCondition::IfMissing);
        self
    }

    /// Only if the key exists: `XX`.
    #[must_use]
    pub fn xx(mut self) -> Self {
        self.condition = Some(SetCondition::IfExists);
        self
    }

    /// Only if the value that is there compares so.
    #[must_use]
    pub fn only_if(mut self, compare: Compare<'a>) -> Self {
        self.condition = Some(SetCondition::If(compare));
        self
    }

    /// Expires after so many seconds: `EX`.
    #[must_use]
    pub fn ex(self, seconds: u64) -> Self {
        self.expire(Expiry::seconds(seconds))
    }

    /// Expires then.
    #[must_use]
    pub fn expire(mut self, expiry: Expiry) -> Self {
        self.expiry = Some(SetExpiry::Expire(expiry));
        self
    }

    /// Keeps the expiry that the key has: `KEEPTTL`.
    #[must_use]
    pub fn keep_ttl(mut self) -> Self {
        self.expiry = Some(SetExpiry::Keep);
        self
    }

    fn write_condition(&self, args: &mut Args) {
        match &self.condition {
            None => {}
            Some(SetCondition::IfMissing) => {
                args.push("NX");
            }
            Some(SetCondition::IfExists) => {
                args.push("XX");
            }
            Some(SetCondition::If(compare)) => compare.write_args(args),
        }
    }

    fn write_expiry(&self, args: &mut Args) {
        if let Some(expiry) = &self.expiry {
            expiry.write_args(args);
        }
    }
}

impl ToArgs for SetOptions<'_> {
    fn write_args(&self, args: &mut Args) {
        self.write_condition(args);
        self.write_expiry(args);
    }
}

/// The options with `GET` at its documented place, between condition and expiry.
struct SetGet<'a>(SetOptions<'a>);

impl ToArgs for SetGet<'_> {
    fn write_args(&self, args: &mut Args) {
        self.0.write_condition(args);
        args.push("GET");
        self.0.write_expiry(args);
    }
}
