//! Keys, whatever they hold.

use std::time::{Duration, SystemTime};

use super::expiry::{
    ExpireCondition, Expiry, RestoreTtl, Ttl, Unit, time_millis, time_seconds, ttl_millis, ttl_seconds,
};
use super::scan::{Cursor, ScanOptions, ScanPage};
use crate::arg::ToArg;
use crate::command::Command;
use crate::command::{Args, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on keys, whatever they hold.
///
/// ```
/// use std::time::Duration;
/// use redis_rest::{Build, GenericCommands};
/// use redis_rest::commands::expiry::ExpireCondition;
///
/// assert_eq!(Build.del(["a", "b"]).args(), ["DEL", "a", "b"]);
/// let args = Build.expire_with("a", Duration::from_secs(60), ExpireCondition::IfNone).args();
/// assert_eq!(args, ["EXPIRE", "a", "60", "NX"]);
/// ```
pub trait GenericCommands: Executor {
    /// Copies a key that exists to one that does not, and says whether it did.
    /// [COPY](https://redis.io/docs/latest/commands/copy/), O(n) in the elements.
    fn copy(self, source: impl ToArg, destination: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("COPY").arg(source).arg(destination))
    }

    /// Copies a key, and says whether it did. [COPY](https://redis.io/docs/latest/commands/copy/), O(n) in the elements.
    fn copy_with(self, source: impl ToArg, destination: impl ToArg, options: CopyOptions) -> Self::Out<bool> {
        self.execute(Command::write("COPY").arg(source).arg(destination).options(options))
    }

    /// Deletes keys, and gives how many there were. [DEL](https://redis.io/docs/latest/commands/del/), O(n) in the
    /// keys and their elements.
    fn del(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("DEL").one_or_more("key", keys))
    }

    /// The value in Redis's own serialization, for [`restore`](Self::restore); `None` without the key. Ask for
    /// `Bytes` or `Vec<u8>`: it is not text. [DUMP](https://redis.io/docs/latest/commands/dump/), O(n) in its size.
    fn dump<V: FromReply>(self, key: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::read("DUMP").arg(key))
    }

    /// How many of the keys exist; one named twice counts twice. [EXISTS](https://redis.io/docs/latest/commands/exists/),
    /// O(n) in the keys.
    fn exists(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::read("EXISTS").one_or_more("key", keys))
    }

    /// Lets a key expire after `ttl`, rounded up to whole seconds, and says whether there is such a key.
    /// [EXPIRE](https://redis.io/docs/latest/commands/expire/), O(1).
    fn expire(self, key: impl ToArg, ttl: Duration) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("EXPIRE").arg(key).ttl(ttl, Unit::Seconds))
    }

    /// As [`expire`](Self::expire), under a condition.
    fn expire_with(self, key: impl ToArg, ttl: Duration, condition: ExpireCondition) -> Self::Out<bool> {
        self.execute(Command::write("EXPIRE").arg(key).ttl(ttl, Unit::Seconds).options(condition))
    }

    /// Lets a key expire at `time`, rounded up to whole seconds, and says whether there is such a key.
    /// [EXPIREAT](https://redis.io/docs/latest/commands/expireat/), O(1).
    fn expireat(self, key: impl ToArg, time: SystemTime) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("EXPIREAT").arg(key).time(time, Unit::Seconds))
    }

    /// As [`expireat`](Self::expireat), under a condition.
    fn expireat_with(self, key: impl ToArg, time: SystemTime, condition: ExpireCondition) -> Self::Out<bool> {
        self.execute(Command::write("EXPIREAT").arg(key).time(time, Unit::Seconds).options(condition))
    }

    /// When a key expires, to the second. [EXPIRETIME](https://redis.io/docs/latest/commands/expiretime/), O(1).
    fn expiretime(self, key: impl ToArg) -> Self::Out<Ttl<SystemTime>> {
        self.submit(Command::read("EXPIRETIME").arg(key).decode_with(time_seconds))
    }

    /// All keys that match the glob-style `pattern`. Blocks the server while it looks at every key: prefer
    /// [`scan`](Self::scan). [KEYS](https://redis.io/docs/latest/commands/keys/), O(n) in all keys.
    fn keys<K: FromReply>(self, pattern: impl ToArg) -> Self::Out<Vec<K>> {
        self.execute(Command::read("KEYS").arg(pattern))
    }

    /// How many bytes a key and its value take, estimated from `samples` of its elements (`Some(0)`: from all);
    /// `None` without the key. [MEMORY USAGE](https://redis.io/docs/latest/commands/memory-usage/), O(n) in the samples.
    fn memory_usage(self, key: impl ToArg, samples: Option<u64>) -> Self::Out<Option<u64>> {
        let command = Command::read("MEMORY").arg("USAGE").arg(key);
        self.execute(match samples {
            Some(samples) => command.arg("SAMPLES").arg(samples),
            None => command,
        })
    }

    /// Removes a key's expiry, and says whether it had one. [PERSIST](https://redis.io/docs/latest/commands/persist/), O(1).
    fn persist(self, key: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("PERSIST").arg(key))
    }

    /// Lets a key expire after `ttl`, rounded up to whole milliseconds, and says whether there is such a key.
    /// [PEXPIRE](https://redis.io/docs/latest/commands/pexpire/), O(1).
    fn pexpire(self, key: impl ToArg, ttl: Duration) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("PEXPIRE").arg(key).ttl(ttl, Unit::Millis))
    }

    /// As [`pexpire`](Self::pexpire), under a condition.
    fn pexpire_with(self, key: impl ToArg, ttl: Duration, condition: ExpireCondition) -> Self::Out<bool> {
        self.execute(Command::write("PEXPIRE").arg(key).ttl(ttl, Unit::Millis).options(condition))
    }

    /// Lets a key expire at `time`, rounded up to whole milliseconds, and says whether there is such a key.
    /// [PEXPIREAT](https://redis.io/docs/latest/commands/pexpireat/), O(1).
    fn pexpireat(self, key: impl ToArg, time: SystemTime) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("PEXPIREAT").arg(key).time(time, Unit::Millis))
    }

    /// As [`pexpireat`](Self::pexpireat), under a condition.
    fn pexpireat_with(self, key: impl ToArg, time: SystemTime, condition: ExpireCondition) -> Self::Out<bool> {
        self.execute(Command::write("PEXPIREAT").arg(key).time(time, Unit::Millis).options(condition))
    }

    /// When a key expires, to the millisecond. [PEXPIRETIME](https://redis.io/docs/latest/commands/pexpiretime/), O(1).
    fn pexpiretime(self, key: impl ToArg) -> Self::Out<Ttl<SystemTime>> {
        self.submit(Command::read("PEXPIRETIME").arg(key).decode_with(time_millis))
    }

    /// How long a key lives on, to the millisecond. [PTTL](https://redis.io/docs/latest/commands/pttl/), O(1).
    fn pttl(self, key: impl ToArg) -> Self::Out<Ttl> {
        self.submit(Command::read("PTTL").arg(key).decode_with(ttl_millis))
    }

    /// Some key; `None` when there is none. [RANDOMKEY](https://redis.io/docs/latest/commands/randomkey/), O(1).
    fn randomkey<K: FromReply>(self) -> Self::Out<Option<K>> {
        self.execute(Command::read("RANDOMKEY"))
    }

    /// Renames a key, overwriting what has the new name. [RENAME](https://redis.io/docs/latest/commands/rename/), O(1).
    fn rename(self, key: impl ToArg, new_key: impl ToArg) -> Self::Out<()> {
        self.execute(Command::write("RENAME").arg(key).arg(new_key))
    }

    /// Renames a key if nothing has the new name, and says whether it did.
    /// [RENAMENX](https://redis.io/docs/latest/commands/renamenx/), O(1).
    fn renamenx(self, key: impl ToArg, new_key: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("RENAMENX").arg(key).arg(new_key))
    }

    /// Makes a key of what [`dump`](Self::dump) gave. [RESTORE](https://redis.io/docs/latest/commands/restore/), O(n)
    /// in its size.
    fn restore(self, key: impl ToArg, dump: impl ToArg, options: RestoreOptions) -> Self::Out<()> {
        let ttl = RestoreTtl(options.expiry);
        self.execute(Command::write("RESTORE").arg(key).options(ttl).arg(dump).options(options))
    }

    /// One page of all keys. [SCAN](https://redis.io/docs/latest/commands/scan/), O(1) a page.
    fn scan<K: FromReply>(self, cursor: Cursor, options: ScanOptions) -> Self::Out<ScanPage<K>> {
        self.execute(Command::read("SCAN").arg(cursor).options(options))
    }

    /// Marks keys as just used, and gives how many there are. [TOUCH](https://redis.io/docs/latest/commands/touch/),
    /// O(n) in the keys.
    fn touch(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::idempotent_write("TOUCH").one_or_more("key", keys))
    }

    /// How long a key lives on, to the second. [TTL](https://redis.io/docs/latest/commands/ttl/), O(1).
    fn ttl(self, key: impl ToArg) -> Self::Out<Ttl> {
        self.submit(Command::read("TTL").arg(key).decode_with(ttl_seconds))
    }

    /// What a key holds; `None` without the key. [TYPE](https://redis.io/docs/latest/commands/type/), O(1).
    fn type_of(self, key: impl ToArg) -> Self::Out<Option<KeyType>> {
        self.submit(Command::read("TYPE").arg(key).decode_with(KeyType::decode))
    }

    /// Deletes keys, and gives how many there were; their memory is freed in the background.
    /// [UNLINK](https://redis.io/docs/latest/commands/unlink/), O(n) in the keys.
    fn unlink(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("UNLINK").one_or_more("key", keys))
    }

    /// Waits until `replicas` have acknowledged all writes so far, or `timeout` has passed, and gives how many have.
    /// [WAIT](https://redis.io/docs/latest/commands/wait/), O(1).
    fn wait(self, replicas: u64, timeout: Duration) -> Self::Out<u64> {
        self.execute(Command::read("WAIT").arg(replicas).duration(timeout, Unit::Millis))
    }

    /// Waits until this server (`local` is 1) and `replicas` have all writes so far on disk, or `timeout` has passed,
    /// and gives how many have, here and there. [WAITAOF](https://redis.io/docs/latest/commands/waitaof/), O(1).
    fn waitaof(self, local: u64, replicas: u64, timeout: Duration) -> Self::Out<(u64, u64)> {
        self.execute(Command::read("WAITAOF").arg(local).arg(replicas).duration(timeout, Unit::Millis))
    }
}

impl<E: Executor> GenericCommands for E {}

/// What a key holds.
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
    /// A type of a module, by its name.
    Other(String),
}

impl KeyType {
    /// The name that Redis has for it.
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
        Ok(Some(match reply.text()? {
            "none" => return Ok(None),
            "string" => KeyType::String,
            "list" => KeyType::List,
            "set" => KeyType::Set,
            "zset" => KeyType::SortedSet,
            "hash" => KeyType::Hash,
            "stream" => KeyType::Stream,
            "ReJSON-RL" | "json" => KeyType::Json,
            other => KeyType::Other(other.to_owned()),
        }))
    }
}

/// Options of [`copy_with`](GenericCommands::copy_with).
#[derive(Debug, Clone, Copy, Default)]
pub struct CopyOptions {
    database: Option<u32>,
    replace: bool,
}

impl CopyOptions {
    /// Within the database, to a key that does not exist.
    #[must_use]
    pub fn new() -> Self {
        CopyOptions::default()
    }

    /// To another database: `DB`. The hosted service has only one.
    #[must_use]
    pub fn database(mut self, database: u32) -> Self {
        self.database = Some(database);
        self
    }

    /// Overwrites the destination: `REPLACE`.
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
#[derive(Debug, Clone, Copy, Default)]
pub struct RestoreOptions {
    expiry: Option<Expiry>,
    replace: bool,
    eviction: Option<Eviction>,
}

/// How much a restored key counts as used: Redis takes one or the other.
#[derive(Debug, Clone, Copy)]
enum Eviction {
    Idle(Duration),
    Frequency(u8),
}

impl RestoreOptions {
    /// Without expiry, to a key that does not exist.
    #[must_use]
    pub fn new() -> Self {
        RestoreOptions::default()
    }

    /// The key expires after `ttl`, which is at least a millisecond.
    #[must_use]
    pub fn expire(mut self, expiry: Expiry) -> Self {
        self.expiry = Some(expiry);
        self
    }

    /// Overwrites the key: `REPLACE`.
    #[must_use]
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// The key counts as not used for so long: `IDLETIME`, instead of `FREQ`.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.eviction = Some(Eviction::Idle(idle));
        self
    }

    /// How often the key counts as used: `FREQ`, instead of `IDLETIME`.
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
                args.push("FREQ").push(frequency);
            }
        }
    }
}
