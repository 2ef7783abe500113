//! Hashes: fields and values under one key.

use std::time::{Duration, SystemTime};

use super::expiry::{
    ExpireCondition, Expiry, GetExpiry, SetExpiry, Ttl, Unit, time_millis, time_seconds, ttl_millis, ttl_seconds,
};
use super::scan::{Cursor, ScanOptions, ScanPage};
use crate::arg::ToArg;
use crate::command::Command;
use crate::command::{Args, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on hashes.
///
/// Fields with an expiry of their own (`hexpire` and its family) need Redis 7.4 or Valkey 9; `hgetdel`, `hgetex` and
/// `hsetex` need Redis 8.0 or (`hgetdel` aside) Valkey 9.
///
/// ```
/// use redis_rest::{Build, HashCommands};
///
/// assert_eq!(Build.hset("user:1", [("name", "Ada"), ("born", "1815")]).args(), ["HSET", "user:1", "name", "Ada", "born", "1815"]);
/// assert_eq!(Build.hmget::<String>("user:1", ["name", "born"]).args(), ["HMGET", "user:1", "name", "born"]);
/// ```
pub trait HashCommands: Executor {
    /// Deletes fields, and gives how many there were. [HDEL](https://redis.io/docs/latest/commands/hdel/), O(n) in
    /// the fields.
    fn hdel(self, key: impl ToArg, fields: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("HDEL").arg(key).one_or_more("field", fields))
    }

    /// Whether the field exists. [HEXISTS](https://redis.io/docs/latest/commands/hexists/), O(1).
    fn hexists(self, key: impl ToArg, field: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::read("HEXISTS").arg(key).arg(field))
    }

    /// Lets fields expire after `ttl`, rounded up to whole seconds, and tells what became of each.
    /// [HEXPIRE](https://redis.io/docs/latest/commands/hexpire/), O(n) in the fields.
    fn hexpire(
        self,
        key: impl ToArg,
        ttl: Duration,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<FieldExpire>> {
        let command = Command::idempotent_write("HEXPIRE").arg(key).ttl(ttl, Unit::Seconds);
        self.execute(command.counted("FIELDS", "field", fields))
    }

    /// As [`hexpire`](Self::hexpire), under a condition.
    fn hexpire_with(
        self,
        key: impl ToArg,
        ttl: Duration,
        condition: ExpireCondition,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<FieldExpire>> {
        let command = Command::write("HEXPIRE").arg(key).ttl(ttl, Unit::Seconds).options(condition);
        self.execute(command.counted("FIELDS", "field", fields))
    }

    /// Lets fields expire at `time`, rounded up to whole seconds, and tells what became of each.
    /// [HEXPIREAT](https://redis.io/docs/latest/commands/hexpireat/), O(n) in the fields.
    fn hexpireat(
        self,
        key: impl ToArg,
        time: SystemTime,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<FieldExpire>> {
        let command = Command::idempotent_write("HEXPIREAT").arg(key).time(time, Unit::Seconds);
        self.execute(command.counted("FIELDS", "field", fields))
    }

    /// As [`hexpireat`](Self::hexpireat), under a condition.
    fn hexpireat_with(
        self,
        key: impl ToArg,
        time: SystemTime,
        condition: ExpireCondition,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<FieldExpire>> {
        let command = Command::write("HEXPIREAT").arg(key).time(time, Unit::Seconds).options(condition);
        self.execute(command.counted("FIELDS", "field", fields))
    }

    /// When each field expires, to the second. [HEXPIRETIME](https://redis.io/docs/latest/commands/hexpiretime/),
    /// O(n) in the fields.
    fn hexpiretime(
        self,
        key: impl ToArg,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<Ttl<SystemTime>>> {
        let command = Command::read("HEXPIRETIME").arg(key).counted("FIELDS", "field", fields);
        self.submit(command.decode_with(|reply| each(reply, time_seconds)))
    }

    /// A field's value; `None` without the field. [HGET](https://redis.io/docs/latest/commands/hget/), O(1).
    fn hget<V: FromReply>(self, key: impl ToArg, field: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::read("HGET").arg(key).arg(field))
    }

    /// All fields and values: a map, or a `Vec` of pairs; empty without the key.
    /// [HGETALL](https://redis.io/docs/latest/commands/hgetall/), O(n) in the fields.
    fn hgetall<M: FromReply>(self, key: impl ToArg) -> Self::Out<M> {
        self.execute(Command::read("HGETALL").arg(key))
    }

    /// The fields' values, and deletes the fields. [HGETDEL](https://redis.io/docs/latest/commands/hgetdel/), O(n) in
    /// the fields.
    fn hgetdel<V: FromReply>(
        self,
        key: impl ToArg,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::write("HGETDEL").arg(key).counted("FIELDS", "field", fields))
    }

    /// The fields' values, and sets or removes the fields' expiry.
    /// [HGETEX](https://redis.io/docs/latest/commands/hgetex/), O(n) in the fields.
    fn hgetex<V: FromReply>(
        self,
        key: impl ToArg,
        expiry: GetExpiry,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<Option<V>>> {
        let command = Command::idempotent_write("HGETEX").arg(key).get_expiry(expiry);
        self.execute(command.counted("FIELDS", "field", fields))
    }

    /// Adds to a field's counter, and gives the result. [HINCRBY](https://redis.io/docs/latest/commands/hincrby/), O(1).
    fn hincrby(self, key: impl ToArg, field: impl ToArg, increment: i64) -> Self::Out<i64> {
        self.execute(Command::write("HINCRBY").arg(key).arg(field).arg(increment))
    }

    /// Adds to a field's number, and gives the result.
    /// [HINCRBYFLOAT](https://redis.io/docs/latest/commands/hincrbyfloat/), O(1).
    fn hincrbyfloat(self, key: impl ToArg, field: impl ToArg, increment: f64) -> Self::Out<f64> {
        self.execute(Command::write("HINCRBYFLOAT").arg(key).arg(field).finite("increment", increment))
    }

    /// All fields. [HKEYS](https://redis.io/docs/latest/commands/hkeys/), O(n) in the fields.
    fn hkeys<F: FromReply>(self, key: impl ToArg) -> Self::Out<Vec<F>> {
        self.execute(Command::read("HKEYS").arg(key))
    }

    /// How many fields there are. [HLEN](https://redis.io/docs/latest/commands/hlen/), O(1).
    fn hlen(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("HLEN").arg(key))
    }

    /// The value of each field, in order. [HMGET](https://redis.io/docs/latest/commands/hmget/), O(n) in the fields.
    fn hmget<V: FromReply>(
        self,
        key: impl ToArg,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::read("HMGET").arg(key).one_or_more("field", fields))
    }

    /// Sets fields. Deprecated in Redis in favour of [`hset`](Self::hset), which however cannot be retried, since
    /// its reply counts the new fields. [HMSET](https://redis.io/docs/latest/commands/hmset/), O(n) in the fields.
    fn hmset<F: ToArg, V: ToArg>(self, key: impl ToArg, values: impl IntoIterator<Item = (F, V)>) -> Self::Out<()> {
        let command = Command::idempotent_write("HMSET").arg(key);
        self.execute(command.one_or_more_pairs("field and value", values))
    }

    /// Removes fields' expiry, and tells what became of each.
    /// [HPERSIST](https://redis.io/docs/latest/commands/hpersist/), O(n) in the fields.
    fn hpersist(self, key: impl ToArg, fields: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<FieldPersist>> {
        self.execute(Command::write("HPERSIST").arg(key).counted("FIELDS", "field", fields))
    }

    /// Lets fields expire after `ttl`, rounded up to whole milliseconds, and tells what became of each.
    /// [HPEXPIRE](https://redis.io/docs/latest/commands/hpexpire/), O(n) in the fields.
    fn hpexpire(
        self,
        key: impl ToArg,
        ttl: Duration,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<FieldExpire>> {
        let command = Command::idempotent_write("HPEXPIRE").arg(key).ttl(ttl, Unit::Millis);
        self.execute(command.counted("FIELDS", "field", fields))
    }

    /// As [`hpexpire`](Self::hpexpire), under a condition.
    fn hpexpire_with(
        self,
        key: impl ToArg,
        ttl: Duration,
        condition: ExpireCondition,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<FieldExpire>> {
        let command = Command::write("HPEXPIRE").arg(key).ttl(ttl, Unit::Millis).options(condition);
        self.execute(command.counted("FIELDS", "field", fields))
    }

    /// Lets fields expire at `time`, rounded up to whole milliseconds, and tells what became of each.
    /// [HPEXPIREAT](https://redis.io/docs/latest/commands/hpexpireat/), O(n) in the fields.
    fn hpexpireat(
        self,
        key: impl ToArg,
        time: SystemTime,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<FieldExpire>> {
        let command = Command::idempotent_write("HPEXPIREAT").arg(key).time(time, Unit::Millis);
        self.execute(command.counted("FIELDS", "field", fields))
    }

    /// As [`hpexpireat`](Self::hpexpireat), under a condition.
    fn hpexpireat_with(
        self,
        key: impl ToArg,
        time: SystemTime,
        condition: ExpireCondition,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<FieldExpire>> {
        let command = Command::write("HPEXPIREAT").arg(key).time(time, Unit::Millis).options(condition);
        self.execute(command.counted("FIELDS", "field", fields))
    }

    /// When each field expires, to the millisecond. [HPEXPIRETIME](https://redis.io/docs/latest/commands/hpexpiretime/),
    /// O(n) in the fields.
    fn hpexpiretime(
        self,
        key: impl ToArg,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<Ttl<SystemTime>>> {
        let command = Command::read("HPEXPIRETIME").arg(key).counted("FIELDS", "field", fields);
        self.submit(command.decode_with(|reply| each(reply, time_millis)))
    }

    /// How long each field lives on, to the millisecond. [HPTTL](https://redis.io/docs/latest/commands/hpttl/), O(n)
    /// in the fields.
    fn hpttl(self, key: impl ToArg, fields: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<Ttl>> {
        let command = Command::read("HPTTL").arg(key).counted("FIELDS", "field", fields);
        self.submit(command.decode_with(|reply| each(reply, ttl_millis)))
    }

    /// Some field; `None` without the key. [HRANDFIELD](https://redis.io/docs/latest/commands/hrandfield/), O(1).
    fn hrandfield<F: FromReply>(self, key: impl ToArg) -> Self::Out<Option<F>> {
        self.execute(Command::read("HRANDFIELD").arg(key))
    }

    /// Up to `count` different fields; with a negative count exactly as many, possibly repeated.
    /// [HRANDFIELD](https://redis.io/docs/latest/commands/hrandfield/), O(n) in the count.
    fn hrandfield_count<F: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<F>> {
        self.execute(Command::read("HRANDFIELD").arg(key).arg(count))
    }

    /// As [`hrandfield_count`](Self::hrandfield_count), with the values.
    fn hrandfield_withvalues<F: FromReply, V: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<(F, V)>> {
        self.execute(Command::read("HRANDFIELD").arg(key).arg(count).arg("WITHVALUES"))
    }

    /// One page of the fields and values. [HSCAN](https://redis.io/docs/latest/commands/hscan/), O(1) a page.
    fn hscan<F: FromReply, V: FromReply>(
        self,
        key: impl ToArg,
        cursor: Cursor,
        options: ScanOptions,
    ) -> Self::Out<ScanPage<(F, V)>> {
        self.execute(Command::read("HSCAN").arg(key).arg(cursor).options(WithinKey(options)))
    }

    /// One page of the fields, without values. Redis 7.4, Valkey 8 and later.
    /// [HSCAN](https://redis.io/docs/latest/commands/hscan/), O(1) a page.
    fn hscan_novalues<F: FromReply>(
        self,
        key: impl ToArg,
        cursor: Cursor,
        options: ScanOptions,
    ) -> Self::Out<ScanPage<F>> {
        self.execute(Command::read("HSCAN").arg(key).arg(cursor).options(WithinKey(options)).arg("NOVALUES"))
    }

    /// Sets fields, and gives how many are new. [HSET](https://redis.io/docs/latest/commands/hset/), O(n) in the fields.
    fn hset<F: ToArg, V: ToArg>(self, key: impl ToArg, values: impl IntoIterator<Item = (F, V)>) -> Self::Out<u64> {
        self.execute(Command::write("HSET").arg(key).one_or_more_pairs("field and value", values))
    }

    /// Sets fields with an expiry or under a condition, and says whether they were set.
    /// [HSETEX](https://redis.io/docs/latest/commands/hsetex/), O(n) in the fields.
    fn hsetex<F: ToArg, V: ToArg>(
        self,
        key: impl ToArg,
        options: HSetExOptions,
        values: impl IntoIterator<Item = (F, V)>,
    ) -> Self::Out<bool> {
        let command = Command::idempotent_write("HSETEX").arg(key).options(options);
        let command = command.non_idempotent_if(options.condition.is_some());
        let values: Vec<_> = values.into_iter().collect();
        let command = command.arg("FIELDS").arg(values.len());
        self.execute(command.one_or_more_pairs("field and value", values))
    }

    /// Sets a field if it does not exist, and says whether it did.
    /// [HSETNX](https://redis.io/docs/latest/commands/hsetnx/), O(1).
    fn hsetnx(self, key: impl ToArg, field: impl ToArg, value: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("HSETNX").arg(key).arg(field).arg(value))
    }

    /// The length of a field's value in bytes; 0 without the field.
    /// [HSTRLEN](https://redis.io/docs/latest/commands/hstrlen/), O(1).
    fn hstrlen(self, key: impl ToArg, field: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("HSTRLEN").arg(key).arg(field))
    }

    /// How long each field lives on, to the second. [HTTL](https://redis.io/docs/latest/commands/httl/), O(n) in the
    /// fields.
    fn httl(self, key: impl ToArg, fields: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<Ttl>> {
        let command = Command::read("HTTL").arg(key).counted("FIELDS", "field", fields);
        self.submit(command.decode_with(|reply| each(reply, ttl_seconds)))
    }

    /// All values. [HVALS](https://redis.io/docs/latest/commands/hvals/), O(n) in the fields.
    fn hvals<V: FromReply>(self, key: impl ToArg) -> Self::Out<Vec<V>> {
        self.execute(Command::read("HVALS").arg(key))
    }
}

impl<E: Executor> HashCommands for E {}

fn each<T>(reply: Reply<'_>, decode: fn(Reply<'_>) -> Result<T>) -> Result<Vec<T>> {
    reply.array()?.map(decode).collect()
}

/// The options of a scan within one key.
pub(super) struct WithinKey(pub(super) ScanOptions);

impl ToArgs for WithinKey {
    fn write_args(&self, args: &mut Args) {
        self.0.write_without_type(args);
    }
}

/// What became of a field that was to expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldExpire {
    /// There is no such field.
    Missing,
    /// The condition was not met.
    Unchanged,
    /// It has the expiry.
    Set,
    /// The time was past, and it is deleted.
    Deleted,
}

impl FromReply for FieldExpire {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match i64::from_reply(reply)? {
            -2 => Ok(FieldExpire::Missing),
            0 => Ok(FieldExpire::Unchanged),
            1 => Ok(FieldExpire::Set),
            2 => Ok(FieldExpire::Deleted),
            _ => Err(reply.mismatch("one of HEXPIRE's codes -2, 0, 1 and 2")),
        }
    }
}

/// What became of a field whose expiry was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldPersist {
    /// There is no such field.
    Missing,
    /// It has no expiry.
    Unchanged,
    /// Its expiry is removed.
    Persisted,
}

impl FromReply for FieldPersist {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match i64::from_reply(reply)? {
            -2 => Ok(FieldPersist::Missing),
            -1 => Ok(FieldPersist::Unchanged),
            1 => Ok(FieldPersist::Persisted),
            _ => Err(reply.mismatch("one of HPERSIST's codes -2, -1 and 1")),
        }
    }
}

/// Options of [`hsetex`](HashCommands::hsetex): at most one condition and one expiry, the last one given.
///
/// ```
/// use redis_rest::{Build, HashCommands};
/// use redis_rest::commands::expiry::Expiry;
/// use redis_rest::commands::hash::HSetExOptions;
///
/// let once = HSetExOptions::new().if_none_exist().expire(Expiry::seconds(9));
/// let args = Build.hsetex("code", once, [("sms", "1234")]).args();
/// assert_eq!(args, ["HSETEX", "code", "FNX", "EX", "9", "FIELDS", "1", "sms", "1234"]);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct HSetExOptions {
    condition: Option<&'static str>,
    expiry: Option<SetExpiry>,
}

impl HSetExOptions {
    /// No condition, no expiry.
    #[must_use]
    pub fn new() -> Self {
        HSetExOptions::default()
    }

    /// Only if none of the fields exists: `FNX`.
    #[must_use]
    pub fn if_none_exist(mut self) -> Self {
        self.condition = Some("FNX");
        self
    }

    /// Only if all of the fields exist: `FXX`.
    #[must_use]
    pub fn if_all_exist(mut self) -> Self {
        self.condition = Some("FXX");
        self
    }

    /// The fields expire then.
    #[must_use]
    pub fn expire(mut self, expiry: Expiry) -> Self {
        self.expiry = Some(SetExpiry::Expire(expiry));
        self
    }

    /// The fields keep the expiry they have: `KEEPTTL`.
    #[must_use]
    pub fn keep_ttl(mut self) -> Self {
        self.expiry = Some(SetExpiry::Keep);
        self
    }
}

impl ToArgs for HSetExOptions {
    fn write_args(&self, args: &mut Args) {
        if let Some(condition) = self.condition {
            args.push(condition);
        }
        if let Some(expiry) = &self.expiry {
            expiry.write_args(args);
        }
    }
}
