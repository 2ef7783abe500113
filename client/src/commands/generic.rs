//! Keys of every type.

use std::time::{Duration, SystemTime};

use super::expiry::{
    ExpireCondition, Expiry, RestoreTtl, Ttl, Unit, time_millis, time_seconds, ttl_millis, ttl_seconds,
};
use super::scan::{Cursor, ScanOptions, ScanPage, WithType};
use crate::arg::ToArg;
use crate::command::{Args, Command, OneOrMore, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on keys of every type.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::time::Duration;
/// use redis_rest::{GenericCommands, StringCommands};
/// use redis_rest::commands::generic::KeyType;
///
/// redis.set("draft", "text").await?;
/// assert_eq!(redis.type_of("draft").await?, Some(KeyType::String));
/// assert!(redis.expire("draft", Duration::from_secs(60)).await?);
/// assert_eq!(redis.del(["draft", "other"]).await?, 1);
/// assert!(!redis.expire("draft", Duration::from_secs(60)).await?); // the key is gone
///
/// let error = redis.rename("draft", "letter").await.unwrap_err();
/// assert_eq!(error.code(), Some("ERR")); // no such key
/// # Ok(())
/// # }
/// ```
pub trait GenericCommands: Executor {
    /// Copies `source` to `destination`, and returns whether it was copied.
    ///
    /// Returns `false` if `source` does not exist or `destination` exists.
    ///
    /// [COPY](https://redis.io/docs/latest/commands/copy/), O(n) in the elements.
    fn copy(self, source: impl ToArg, destination: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("COPY").key(source).key(destination))
    }

    /// Copies a key with options, and returns whether it was copied.
    ///
    /// [`CopyOptions`] shows an example.
    ///
    /// [COPY](https://redis.io/docs/latest/commands/copy/), O(n) in the elements.
    fn copy_with(self, source: impl ToArg, destination: impl ToArg, options: CopyOptions) -> Self::Out<bool> {
        self.execute(Command::write("COPY").key(source).key(destination).options(options))
    }

    /// Deletes keys, and returns the number of keys that existed.
    ///
    /// [DEL](https://redis.io/docs/latest/commands/del/), O(n) in the keys and their elements.
    fn del<K>(self, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("DEL").keys(keys))
    }

    /// Returns the value of `key` in Redis's own serialization, or `None` if the key does not exist.
    ///
    /// The serialization is not text: ask for `Bytes` or `Vec<u8>`. [`restore`](Self::restore) reads it.
    ///
    /// [DUMP](https://redis.io/docs/latest/commands/dump/), O(n) in the size of the value.
    fn dump<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::read("DUMP").key(key))
    }

    /// Returns the number of keys that exist. A key that is listed twice counts twice.
    ///
    /// [EXISTS](https://redis.io/docs/latest/commands/exists/), O(n) in the keys.
    fn exists<K>(self, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::read("EXISTS").keys(keys))
    }

    /// Sets the time to live of `key`, rounded up to whole seconds, and returns whether the key exists.
    ///
    /// [EXPIRE](https://redis.io/docs/latest/commands/expire/), O(1).
    fn expire(self, key: impl ToArg, ttl: Duration) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("EXPIRE").key(key).ttl(ttl, Unit::Seconds))
    }

    /// Sets the time to live of `key` under a condition, and returns whether it was set; see [`expire`](Self::expire).
    ///
    /// [`ExpireCondition`] shows an example.
    fn expire_with(self, key: impl ToArg, ttl: Duration, condition: ExpireCondition) -> Self::Out<bool> {
        self.execute(Command::write("EXPIRE").key(key).ttl(ttl, Unit::Seconds).options(condition))
    }

    /// Sets the time at which `key` expires, rounded up to whole seconds, and returns whether the key exists.
    ///
    /// [EXPIREAT](https://redis.io/docs/latest/commands/expireat/), O(1).
    fn expireat(self, key: impl ToArg, time: SystemTime) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("EXPIREAT").key(key).time(time, Unit::Seconds))
    }

    /// Sets the time at which `key` expires under a condition, and returns whether it was set; see
    /// [`expireat`](Self::expireat).
    fn expireat_with(self, key: impl ToArg, time: SystemTime, condition: ExpireCondition) -> Self::Out<bool> {
        self.execute(Command::write("EXPIREAT").key(key).time(time, Unit::Seconds).options(condition))
    }

    /// Returns the time at which `key` expires, in whole seconds.
    ///
    /// [EXPIRETIME](https://redis.io/docs/latest/commands/expiretime/), O(1).
    fn expiretime(self, key: impl ToArg) -> Self::Out<Ttl<SystemTime>> {
        self.submit(Command::read("EXPIRETIME").key(key).decode_with(time_seconds))
    }

    /// Returns all keys that match the glob-style `pattern`.
    ///
    /// It blocks the server while it looks at every key; prefer [`scan`](Self::scan).
    ///
    /// [KEYS](https://redis.io/docs/latest/commands/keys/), O(n) in all keys.
    fn keys<K: FromReply>(self, pattern: impl ToArg) -> Self::Out<Vec<K>> {
        self.execute(Command::read("KEYS").arg(pattern))
    }

    /// Returns the approximate number of bytes that a key and its value take, or `None` if the key does not exist.
    ///
    /// Redis estimates the size from `samples` elements; `Some(0)` samples all of them.
    ///
    /// [MEMORY USAGE](https://redis.io/docs/latest/commands/memory-usage/), O(n) in the samples.
    fn memory_usage(self, key: impl ToArg, samples: Option<u64>) -> Self::Out<Option<u64>> {
        let command = Command::read("MEMORY").arg("USAGE").key(key);
        self.execute(match samples {
            Some(samples) => command.arg("SAMPLES").arg(samples),
            None => command,
        })
    }

    /// Removes the time to live of `key`, and returns whether it had one.
    ///
    /// [PERSIST](https://redis.io/docs/latest/commands/persist/), O(1).
    fn persist(self, key: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("PERSIST").key(key))
    }

    /// Sets the time to live of `key`, rounded up to whole milliseconds, and returns whether the key exists.
    ///
    /// [PEXPIRE](https://redis.io/docs/latest/commands/pexpire/), O(1).
    fn pexpire(self, key: impl ToArg, ttl: Duration) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("PEXPIRE").key(key).ttl(ttl, Unit::Millis))
    }

    /// Sets the time to live of `key` under a condition, and returns whether it was set; see
    /// [`pexpire`](Self::pexpire).
    fn pexpire_with(self, key: impl ToArg, ttl: Duration, condition: ExpireCondition) -> Self::Out<bool> {
        self.execute(Command::write("PEXPIRE").key(key).ttl(ttl, Unit::Millis).options(condition))
    }

    /// Sets the time at which `key` expires, rounded up to whole milliseconds, and returns whether the key exists.
    ///
    /// [PEXPIREAT](https://redis.io/docs/latest/commands/pexpireat/), O(1).
    fn pexpireat(self, key: impl ToArg, time: SystemTime) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("PEXPIREAT").key(key).time(time, Unit::Millis))
    }

    /// Sets the time at which `key` expires under a condition, and returns whether it was set; see
    /// [`pexpireat`](Self::pexpireat).
    fn pexpireat_with(self, key: impl ToArg, time: SystemTime, condition: ExpireCondition) -> Self::Out<bool> {
        self.execute(Command::write("PEXPIREAT").key(key).time(time, Unit::Millis).options(condition))
    }

    /// Returns the time at which `key` expires, in whole milliseconds.
    ///
    /// [PEXPIRETIME](https://redis.io/docs/latest/commands/pexpiretime/), O(1).
    fn pexpiretime(self, key: impl ToArg) -> Self::Out<Ttl<SystemTime>> {
        self.submit(Command::read("PEXPIRETIME").key(key).decode_with(time_millis))
    }

    /// Returns the time to live of `key`, in whole milliseconds.
    ///
    /// [PTTL](https://redis.io/docs/latest/commands/pttl/), O(1).
    fn pttl(self, key: impl ToArg) -> Self::Out<Ttl> {
        self.submit(Command::read("PTTL").key(key).decode_with(ttl_millis))
    }

    /// Returns a random key, or `None` if there are no keys.
    ///
    /// [RANDOMKEY](https://redis.io/docs/latest/commands/randomkey/), O(1).
    fn randomkey<K: FromReply>(self) -> Self::Out<Option<K>> {
        self.execute(Command::read("RANDOMKEY"))
    }

    /// Renames `key`, and replaces the key that has the new name.
    ///
    /// [RENAME](https://redis.io/docs/latest/commands/rename/), O(1).
    fn rename(self, key: impl ToArg, new_key: impl ToArg) -> Self::Out<()> {
        self.execute(Command::write("RENAME").key(key).key(new_key))
    }

    /// Renames `key` if `new_key` does not exist, and returns whether it was renamed.
    ///
    /// [RENAMENX](https://redis.io/docs/latest/commands/renamenx/), O(1).
    fn renamenx(self, key: impl ToArg, new_key: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("RENAMENX").key(key).key(new_key))
    }

    /// Creates a key from the serialization that [`dump`](Self::dump) returns.
    ///
    /// [`RestoreOptions`] shows an example.
    ///
    /// [RESTORE](https://redis.io/docs/latest/commands/restore/), O(n) in the size of the value.
    fn restore(self, key: impl ToArg, dump: impl ToArg, options: RestoreOptions) -> Self::Out<()> {
        let ttl = RestoreTtl(options.expiry);
        self.execute(Command::write("RESTORE").key(key).options(ttl).arg(dump).options(options))
    }

    /// Returns one page of all keys.
    ///
    /// [`scan_iter`](crate::IterCommands::scan_iter) fetches all pages.
    ///
    /// [SCAN](https://redis.io/docs/latest/commands/scan/), O(1) per page.
    fn scan<K: FromReply>(self, cursor: Cursor, options: ScanOptions) -> Self::Out<ScanPage<K>> {
        self.execute(Command::read("SCAN").arg(cursor).options(options))
    }

    /// Returns one page of all keys, each with the type of its value. `InvalidInput` if the options choose a type.
    ///
    /// Only the service has this form.
    ///
    /// [SCAN](https://redis.io/docs/latest/commands/scan/), O(1) per page.
    fn scan_withtype<K: FromReply>(self, cursor: Cursor, options: ScanOptions) -> Self::Out<ScanPage<(K, KeyType)>> {
        self.execute(Command::read("SCAN").arg(cursor).options(WithType(options)))
    }

    /// Marks keys as just used, and returns the number of keys that exist.
    ///
    /// [TOUCH](https://redis.io/docs/latest/commands/touch/), O(n) in the keys.
    fn touch<K>(self, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::idempotent_write("TOUCH").keys(keys))
    }

    /// Returns the time to live of `key`, in whole seconds.
    ///
    /// [TTL](https://redis.io/docs/latest/commands/ttl/), O(1).
    fn ttl(self, key: impl ToArg) -> Self::Out<Ttl> {
        self.submit(Command::read("TTL").key(key).decode_with(ttl_seconds))
    }

    /// Returns the type of the value of `key`, or `None` if the key does not exist.
    ///
    /// [TYPE](https://redis.io/docs/latest/commands/type/), O(1).
    #[doc(alias = "type")]
    fn type_of(self, key: impl ToArg) -> Self::Out<Option<KeyType>> {
        self.submit(Command::read("TYPE").key(key).decode_with(KeyType::decode))
    }

    /// Deletes keys, and returns the number of keys that existed. Redis frees their memory in the background.
    ///
    /// [UNLINK](https://redis.io/docs/latest/commands/unlink/), O(n) in the keys.
    fn unlink<K>(self, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("UNLINK").keys(keys))
    }

    /// Waits until `replicas` replicas have acknowledged all previous writes, or until `timeout` has passed. Returns
    /// the number of replicas that have acknowledged them. A `timeout` of zero means no limit.
    ///
    /// The client's own limits on the time of the request are extended by `timeout`.
    ///
    /// [WAIT](https://redis.io/docs/latest/commands/wait/), O(1).
    fn wait(self, replicas: u64, timeout: Duration) -> Self::Out<u64> {
        self.execute(
            Command::read("WAIT").arg(replicas).duration(timeout, Unit::Millis).waits(no_limit_if_zero(timeout)),
        )
    }

    /// Waits until this server (if `local` is 1) and `replicas` replicas have written all previous writes to disk, or
    /// until `timeout` has passed. Returns the number of local servers and of replicas that have. A `timeout` of zero
    /// means no limit.
    ///
    /// The client's own limits on the time of the request are extended by `timeout`.
    ///
    /// [WAITAOF](https://redis.io/docs/latest/commands/waitaof/), O(1).
    fn waitaof(self, local: u64, replicas: u64, timeout: Duration) -> Self::Out<(u64, u64)> {
        let command = Command::read("WAITAOF").arg(local).arg(replicas).duration(timeout, Unit::Millis);
        self.execute(command.waits(no_limit_if_zero(timeout)))
    }
}

impl<E: Executor> GenericCommands for E {}

fn no_limit_if_zero(timeout: Duration) -> Duration {
    if timeout.is_zero() { Duration::MAX } else { timeout }
}

/// The type of a key's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// A string.
    String,
    /// A list.
    List,
    /// A set.
    Set,
    /// A sorted set.
    SortedSet,
    /// A hash.
    Hash,
    /// A stream.
    Stream,
    /// A JSON document.
    Json,
    /// A type that a module defines, by its name.
    Other(String),
}

impl KeyType {
    /// Returns Redis's name for the type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            KeyType::String => "string",
            KeyType::List => "list",
            KeyType::Set => "set",
            KeyType::SortedSet => "zset",
            KeyType::Hash => "hash",
            KeyType::Stream => "stream",
            KeyType::Json => "ReJSON-RL",
            KeyType::Other(name) => name,
        }
    }

    fn decode(reply: Reply<'_>) -> Result<Option<Self>> {
        if reply.text()? == "none" { Ok(None) } else { KeyType::from_reply(reply).map(Some) }
    }
}

impl FromReply for KeyType {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        Ok(match reply.text()? {
            "string" => KeyType::String,
            "list" => KeyType::List,
            "set" => KeyType::Set,
            "zset" => KeyType::SortedSet,
            "hash" => KeyType::Hash,
            "stream" => KeyType::Stream,
            "ReJSON-RL" | "json" => KeyType::Json,
            other => KeyType::Other(other.to_owned()),
        })
    }
}

/// Options of [`copy_with`](GenericCommands::copy_with).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::{GenericCommands, StringCommands};
/// use redis_rest::commands::generic::CopyOptions;
///
/// redis.mset([("draft", "new"), ("letter", "old")]).await?;
/// assert!(!redis.copy("draft", "letter").await?); // the destination exists
/// assert!(redis.copy_with("draft", "letter", CopyOptions::new().replace()).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CopyOptions {
    /// Copies to another database: `DB`. The hosted service has only one.
    database: Option<u32>,
    /// Replaces the destination if it exists: `REPLACE`.
    replace: bool,
}

impl CopyOptions {
    /// Creates options that copy within the database and replace nothing.
    #[must_use]
    pub fn new() -> Self {
        CopyOptions::default()
    }

    /// Copies to another database: `DB`. The hosted service has only one.
    #[must_use]
    pub fn database(mut self, database: u32) -> Self {
        self.database = Some(database);
        self
    }

    /// Replaces the destination if it exists: `REPLACE`.
    #[must_use]
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }
}

impl ToArgs for CopyOptions {
    fn write_args(&self, args: &mut Args) {
        if let Some(database) = self.database {
            args.push("DB").push(database);
        }
        if self.replace {
            args.push("REPLACE");
        }
    }
}

/// Options of [`restore`](GenericCommands::restore).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::time::{Duration, SystemTime};
/// use redis_rest::GenericCommands;
/// use redis_rest::commands::generic::RestoreOptions;
///
/// if let Some(dump) = redis.dump::<Vec<u8>>("draft").await? {
///     let hour = Duration::from_secs(3600);
///     redis.restore("backup", &dump, RestoreOptions::new().expire(hour)).await?;
///     let error = redis.restore("backup", &dump, RestoreOptions::new()).await.unwrap_err();
///     assert_eq!(error.code(), Some("BUSYKEY")); // the key exists
///     // A time instead of a duration is sent with ABSTTL.
///     redis.restore("backup", &dump, RestoreOptions::new().replace().expire(SystemTime::now() + hour)).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct RestoreOptions {
    expiry: Option<Expiry>,
    /// Replaces the key if it exists: `REPLACE`.
    replace: bool,
    eviction: Option<Eviction>,
}

/// How recently or how often a restored key counts as used. Redis accepts only one of the two.
#[derive(Debug, Clone, Copy)]
enum Eviction {
    Idle(Duration),
    Frequency(u8),
}

impl RestoreOptions {
    /// Creates options that set no time to live and replace nothing.
    #[must_use]
    pub fn new() -> Self {
        RestoreOptions::default()
    }

    /// Sets the key's time to live, rounded up to whole milliseconds, or the time at which it expires: `ABSTTL`.
    #[must_use]
    pub fn expire(mut self, expiry: impl Into<Expiry>) -> Self {
        self.expiry = Some(expiry.into());
        self
    }

    /// Replaces the key if it exists: `REPLACE`.
    #[must_use]
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// Sets how long ago the key was last used: `IDLETIME`. It replaces `FREQ`.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.eviction = Some(Eviction::Idle(idle));
        self
    }

    /// Sets the key's access frequency: `FREQ`. It replaces `IDLETIME`.
    #[must_use]
    pub fn frequency(mut self, frequency: u8) -> Self {
        self.eviction = Some(Eviction::Frequency(frequency));
        self
    }
}

impl ToArgs for RestoreOptions {
    fn write_args(&self, args: &mut Args) {
        if self.replace {
            args.push("REPLACE");
        }
        if self.expiry.is_some_and(Expiry::is_at_a_time) {
            args.push("ABSTTL");
        }
        match self.eviction {
            None => {}
            Some(Eviction::Idle(idle)) => {
                args.push("IDLETIME").push(idle.as_secs());
            }
            Some(Eviction::Frequency(frequency)) => {
                args.push("FREQ").push(u32::from(frequency));
            }
        }
    }
}
