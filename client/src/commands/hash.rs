//! Hashes: fields and values under one key.

use std::time::{Duration, SystemTime};

use super::expiry::{
    ExpireCondition, Expiry, GetExpiry, SetExpiry, Ttl, Unit, time_millis, time_seconds, ttl_millis, ttl_seconds,
};
use super::scan::{Cursor, ScanOptions, ScanPage};
use crate::arg::ToArg;
use crate::command::{Args, Command, OneOrMore, OneOrMorePairs, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on hashes.
///
/// Fields with their own time to live (`hexpire` and its family) need Redis 7.4 or Valkey 9. `hgetex` and `hsetex` need
/// Redis 8.0 or Valkey 9; `hgetdel` needs Redis 8.0.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::collections::HashMap;
/// use redis_rest::{HashCommands, StringCommands};
///
/// assert_eq!(redis.hset("user:1", [("name", "Ada"), ("city", "London")]).await?, 2);
/// let city: Option<String> = redis.hget("user:1", "city").await?;
/// assert_eq!(city.as_deref(), Some("London"));
/// let user: HashMap<String, String> = redis.hgetall("user:1").await?;
/// assert_eq!(user["name"], "Ada");
///
/// let error = redis.get::<String>("user:1").await.unwrap_err();
/// assert!(error.is_wrong_type()); // GET is for strings
/// # Ok(())
/// # }
/// ```
pub trait HashCommands: Executor {
    /// Deletes fields, and returns the number of fields that existed.
    ///
    /// [HDEL](https://redis.io/docs/latest/commands/hdel/), O(n) in the fields.
    fn hdel<K>(self, key: impl ToArg, fields: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("HDEL").key(key).one_or_more("field", fields))
    }

    /// Returns whether `field` exists.
    ///
    /// [HEXISTS](https://redis.io/docs/latest/commands/hexists/), O(1).
    fn hexists(self, key: impl ToArg, field: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::read("HEXISTS").key(key).arg(field))
    }

    /// Sets the time to live of fields, rounded up to whole seconds, and returns the outcome for each field.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use std::time::Duration;
    /// use redis_rest::HashCommands;
    /// use redis_rest::commands::hash::FieldExpire;
    ///
    /// redis.hset("login", [("code", "1234")]).await?;
    /// let outcome = redis.hexpire("login", Duration::from_secs(60), ["code", "token"]).await?;
    /// assert_eq!(outcome, [FieldExpire::Set, FieldExpire::Missing]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [HEXPIRE](https://redis.io/docs/latest/commands/hexpire/), O(n) in the fields.
    fn hexpire<K>(self, key: impl ToArg, ttl: Duration, fields: impl OneOrMore<K>) -> Self::Out<Vec<FieldExpire>> {
        self.execute(Command::idempotent_write("HEXPIRE").key(key).ttl(ttl, Unit::Seconds).fields(fields))
    }

    /// Sets the time to live of the fields that meet a condition; see [`hexpire`](Self::hexpire).
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use std::time::Duration;
    /// use redis_rest::HashCommands;
    /// use redis_rest::commands::expiry::ExpireCondition;
    /// use redis_rest::commands::hash::FieldExpire;
    ///
    /// let minute = Duration::from_secs(60);
    /// redis.hset("login", [("code", "1234")]).await?;
    /// redis.hexpire("login", minute, ["code"]).await?;
    /// let outcome = redis.hexpire_with("login", minute, ["code"], ExpireCondition::Nx).await?;
    /// assert_eq!(outcome, [FieldExpire::Unchanged]); // the field has a time to live
    /// # Ok(())
    /// # }
    /// ```
    fn hexpire_with<K>(
        self,
        key: impl ToArg,
        ttl: Duration,
        fields: impl OneOrMore<K>,
        condition: ExpireCondition,
    ) -> Self::Out<Vec<FieldExpire>> {
        self.execute(Command::write("HEXPIRE").key(key).ttl(ttl, Unit::Seconds).options(condition).fields(fields))
    }

    /// Sets the time at which fields expire, rounded up to whole seconds, and returns the outcome for each field.
    ///
    /// [HEXPIREAT](https://redis.io/docs/latest/commands/hexpireat/), O(n) in the fields.
    fn hexpireat<K>(self, key: impl ToArg, time: SystemTime, fields: impl OneOrMore<K>) -> Self::Out<Vec<FieldExpire>> {
        self.execute(Command::idempotent_write("HEXPIREAT").key(key).time(time, Unit::Seconds).fields(fields))
    }

    /// Sets the time at which the fields that meet a condition expire; see [`hexpireat`](Self::hexpireat).
    fn hexpireat_with<K>(
        self,
        key: impl ToArg,
        time: SystemTime,
        fields: impl OneOrMore<K>,
        condition: ExpireCondition,
    ) -> Self::Out<Vec<FieldExpire>> {
        self.execute(Command::write("HEXPIREAT").key(key).time(time, Unit::Seconds).options(condition).fields(fields))
    }

    /// Returns the time at which each field expires, in whole seconds.
    ///
    /// [HEXPIRETIME](https://redis.io/docs/latest/commands/hexpiretime/), O(n) in the fields.
    fn hexpiretime<K>(self, key: impl ToArg, fields: impl OneOrMore<K>) -> Self::Out<Vec<Ttl<SystemTime>>> {
        self.submit(Command::read("HEXPIRETIME").key(key).fields(fields).decode_with(|reply| each(reply, time_seconds)))
    }

    /// Returns the value of `field`, or `None` if the field does not exist.
    ///
    /// [HGET](https://redis.io/docs/latest/commands/hget/), O(1).
    fn hget<V: FromReply>(self, key: impl ToArg, field: impl ToArg) -> Self::Out<Option<V>> {
        self.execute(Command::read("HGET").key(key).arg(field))
    }

    /// Returns all fields and values, as a map or a `Vec` of pairs. The collection is empty if the key does not exist.
    ///
    /// [HGETALL](https://redis.io/docs/latest/commands/hgetall/), O(n) in the fields.
    fn hgetall<M: FromReply>(self, key: impl ToArg) -> Self::Out<M> {
        self.execute(Command::read("HGETALL").key(key))
    }

    /// Deletes fields, and returns their values.
    ///
    /// [HGETDEL](https://redis.io/docs/latest/commands/hgetdel/), O(n) in the fields.
    fn hgetdel<V: FromReply>(
        self,
        key: impl ToArg,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::write("HGETDEL").key(key).fields(fields))
    }

    /// Returns the values of fields, and sets or removes the fields' time to live.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use std::time::Duration;
    /// use redis_rest::HashCommands;
    ///
    /// redis.hset("session", [("user", "Ada")]).await?;
    /// let values: Vec<Option<String>> = redis.hgetex("session", ["user", "cart"], Duration::from_secs(60)).await?;
    /// assert_eq!(values, [Some("Ada".to_owned()), None]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [HGETEX](https://redis.io/docs/latest/commands/hgetex/), O(n) in the fields.
    fn hgetex<V: FromReply>(
        self,
        key: impl ToArg,
        fields: impl IntoIterator<Item = impl ToArg>,
        expiry: impl Into<GetExpiry>,
    ) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::idempotent_write("HGETEX").key(key).get_expiry(expiry.into()).fields(fields))
    }

    /// Adds `increment` to a counter in a field, and returns the result.
    ///
    /// [HINCRBY](https://redis.io/docs/latest/commands/hincrby/), O(1).
    fn hincrby(self, key: impl ToArg, field: impl ToArg, increment: i64) -> Self::Out<i64> {
        self.execute(Command::write("HINCRBY").key(key).arg(field).arg(increment))
    }

    /// Adds `increment` to a floating-point number in a field, and returns the result.
    ///
    /// Fails with `InvalidInput` if `increment` is not finite.
    ///
    /// [HINCRBYFLOAT](https://redis.io/docs/latest/commands/hincrbyfloat/), O(1).
    fn hincrbyfloat(self, key: impl ToArg, field: impl ToArg, increment: f64) -> Self::Out<f64> {
        self.execute(Command::write("HINCRBYFLOAT").key(key).arg(field).finite("increment", increment))
    }

    /// Returns all fields.
    ///
    /// [HKEYS](https://redis.io/docs/latest/commands/hkeys/), O(n) in the fields.
    fn hkeys<F: FromReply>(self, key: impl ToArg) -> Self::Out<Vec<F>> {
        self.execute(Command::read("HKEYS").key(key))
    }

    /// Returns the number of fields.
    ///
    /// [HLEN](https://redis.io/docs/latest/commands/hlen/), O(1).
    fn hlen(self, key: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("HLEN").key(key))
    }

    /// Returns the value of each field, in the order of `fields`.
    ///
    /// [HMGET](https://redis.io/docs/latest/commands/hmget/), O(n) in the fields.
    fn hmget<V: FromReply>(
        self,
        key: impl ToArg,
        fields: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<Option<V>>> {
        self.execute(Command::read("HMGET").key(key).one_or_more("field", fields))
    }

    /// Sets fields. Deprecated in Redis in favour of [`hset`](Self::hset).
    ///
    /// Unlike `hset`, it is idempotent, because its reply does not count the new fields.
    ///
    /// [HMSET](https://redis.io/docs/latest/commands/hmset/), O(n) in the fields.
    fn hmset<K>(self, key: impl ToArg, values: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>) -> Self::Out<()> {
        let command = Command::idempotent_write("HMSET").key(key);
        self.execute(command.one_or_more_pairs("field and value", values))
    }

    /// Removes the time to live of fields, and returns the outcome for each field.
    ///
    /// [HPERSIST](https://redis.io/docs/latest/commands/hpersist/), O(n) in the fields.
    fn hpersist<K>(self, key: impl ToArg, fields: impl OneOrMore<K>) -> Self::Out<Vec<FieldPersist>> {
        self.execute(Command::write("HPERSIST").key(key).fields(fields))
    }

    /// Sets the time to live of fields, rounded up to whole milliseconds, and returns the outcome for each field.
    ///
    /// [HPEXPIRE](https://redis.io/docs/latest/commands/hpexpire/), O(n) in the fields.
    fn hpexpire<K>(self, key: impl ToArg, ttl: Duration, fields: impl OneOrMore<K>) -> Self::Out<Vec<FieldExpire>> {
        self.execute(Command::idempotent_write("HPEXPIRE").key(key).ttl(ttl, Unit::Millis).fields(fields))
    }

    /// Sets the time to live of the fields that meet a condition; see [`hpexpire`](Self::hpexpire).
    fn hpexpire_with<K>(
        self,
        key: impl ToArg,
        ttl: Duration,
        fields: impl OneOrMore<K>,
        condition: ExpireCondition,
    ) -> Self::Out<Vec<FieldExpire>> {
        self.execute(Command::write("HPEXPIRE").key(key).ttl(ttl, Unit::Millis).options(condition).fields(fields))
    }

    /// Sets the time at which fields expire, rounded up to whole milliseconds, and returns the outcome for each field.
    ///
    /// [HPEXPIREAT](https://redis.io/docs/latest/commands/hpexpireat/), O(n) in the fields.
    fn hpexpireat<K>(
        self,
        key: impl ToArg,
        time: SystemTime,
        fields: impl OneOrMore<K>,
    ) -> Self::Out<Vec<FieldExpire>> {
        self.execute(Command::idempotent_write("HPEXPIREAT").key(key).time(time, Unit::Millis).fields(fields))
    }

    /// Sets the time at which the fields that meet a condition expire; see [`hpexpireat`](Self::hpexpireat).
    fn hpexpireat_with<K>(
        self,
        key: impl ToArg,
        time: SystemTime,
        fields: impl OneOrMore<K>,
        condition: ExpireCondition,
    ) -> Self::Out<Vec<FieldExpire>> {
        self.execute(Command::write("HPEXPIREAT").key(key).time(time, Unit::Millis).options(condition).fields(fields))
    }

    /// Returns the time at which each field expires, in whole milliseconds.
    ///
    /// [HPEXPIRETIME](https://redis.io/docs/latest/commands/hpexpiretime/), O(n) in the fields.
    fn hpexpiretime<K>(self, key: impl ToArg, fields: impl OneOrMore<K>) -> Self::Out<Vec<Ttl<SystemTime>>> {
        self.submit(Command::read("HPEXPIRETIME").key(key).fields(fields).decode_with(|reply| each(reply, time_millis)))
    }

    /// Returns the time to live of each field, in whole milliseconds.
    ///
    /// [HPTTL](https://redis.io/docs/latest/commands/hpttl/), O(n) in the fields.
    fn hpttl<K>(self, key: impl ToArg, fields: impl OneOrMore<K>) -> Self::Out<Vec<Ttl>> {
        self.submit(Command::read("HPTTL").key(key).fields(fields).decode_with(|reply| each(reply, ttl_millis)))
    }

    /// Returns a random field, or `None` if the key does not exist.
    ///
    /// [HRANDFIELD](https://redis.io/docs/latest/commands/hrandfield/), O(1).
    fn hrandfield<F: FromReply>(self, key: impl ToArg) -> Self::Out<Option<F>> {
        self.execute(Command::read("HRANDFIELD").key(key))
    }

    /// Returns up to `count` different random fields.
    ///
    /// With a negative count, it returns exactly that many fields, and may repeat them.
    ///
    /// [HRANDFIELD](https://redis.io/docs/latest/commands/hrandfield/), O(n) in the count.
    fn hrandfield_count<F: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<F>> {
        self.execute(Command::read("HRANDFIELD").key(key).arg(count))
    }

    /// Returns random fields with their values; see [`hrandfield_count`](Self::hrandfield_count).
    fn hrandfield_withvalues<F: FromReply, V: FromReply>(self, key: impl ToArg, count: i64) -> Self::Out<Vec<(F, V)>> {
        self.execute(Command::read("HRANDFIELD").key(key).arg(count).arg("WITHVALUES"))
    }

    /// Returns one page of the fields and values.
    ///
    /// [`hscan_iter`](crate::IterCommands::hscan_iter) fetches all pages.
    ///
    /// [HSCAN](https://redis.io/docs/latest/commands/hscan/), O(1) per page.
    fn hscan<F: FromReply, V: FromReply>(
        self,
        key: impl ToArg,
        cursor: Cursor,
        options: ScanOptions,
    ) -> Self::Out<ScanPage<(F, V)>> {
        self.execute(Command::read("HSCAN").key(key).arg(cursor).options(WithinKey(options)))
    }

    /// Returns one page of the fields, without values. Needs Redis 7.4 or Valkey 8.
    ///
    /// [HSCAN](https://redis.io/docs/latest/commands/hscan/), O(1) per page.
    fn hscan_novalues<F: FromReply>(
        self,
        key: impl ToArg,
        cursor: Cursor,
        options: ScanOptions,
    ) -> Self::Out<ScanPage<F>> {
        self.execute(Command::read("HSCAN").key(key).arg(cursor).options(WithinKey(options)).arg("NOVALUES"))
    }

    /// Sets fields, and returns the number of new fields. The fields are pairs:
    /// `redis.hset("user:1", [("name", "Ada")])`.
    ///
    /// [HSET](https://redis.io/docs/latest/commands/hset/), O(n) in the fields.
    fn hset<K>(self, key: impl ToArg, values: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("HSET").key(key).one_or_more_pairs("field and value", values))
    }

    /// Sets fields with a time to live or under a condition, and returns whether they were set.
    ///
    /// [`HSetExOptions`] shows an example.
    ///
    /// [HSETEX](https://redis.io/docs/latest/commands/hsetex/), O(n) in the fields.
    fn hsetex<K>(
        self,
        key: impl ToArg,
        values: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>,
        options: HSetExOptions,
    ) -> Self::Out<bool> {
        let command = Command::idempotent_write("HSETEX").key(key).options(options);
        let command = command.non_idempotent_if(options.condition.is_some());
        let values: Vec<_> = values.items().collect();
        let command = command.arg("FIELDS").arg(values.len());
        self.execute(command.one_or_more_pairs("field and value", values))
    }

    /// Sets `field` if it does not exist, and returns whether it was set.
    ///
    /// [HSETNX](https://redis.io/docs/latest/commands/hsetnx/), O(1).
    fn hsetnx(self, key: impl ToArg, field: impl ToArg, value: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("HSETNX").key(key).arg(field).arg(value))
    }

    /// Returns the length of a field's value in bytes, or 0 if the field does not exist.
    ///
    /// [HSTRLEN](https://redis.io/docs/latest/commands/hstrlen/), O(1).
    fn hstrlen(self, key: impl ToArg, field: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("HSTRLEN").key(key).arg(field))
    }

    /// Returns the time to live of each field, in whole seconds.
    ///
    /// [HTTL](https://redis.io/docs/latest/commands/httl/), O(n) in the fields.
    fn httl<K>(self, key: impl ToArg, fields: impl OneOrMore<K>) -> Self::Out<Vec<Ttl>> {
        self.submit(Command::read("HTTL").key(key).fields(fields).decode_with(|reply| each(reply, ttl_seconds)))
    }

    /// Returns all values.
    ///
    /// [HVALS](https://redis.io/docs/latest/commands/hvals/), O(n) in the fields.
    fn hvals<V: FromReply>(self, key: impl ToArg) -> Self::Out<Vec<V>> {
        self.execute(Command::read("HVALS").key(key))
    }
}

impl<E: Executor> HashCommands for E {}

impl<R> Command<R> {
    /// Adds fields in the form that the commands since Redis 7.4 take: `FIELDS 2 a b`.
    fn fields<K>(self, fields: impl OneOrMore<K>) -> Self {
        self.counted("FIELDS", "field", fields)
    }
}

fn each<T>(reply: Reply<'_>, decode: fn(Reply<'_>) -> Result<T>) -> Result<Vec<T>> {
    reply.array()?.map(decode).collect()
}

/// The options of a scan within one key.
pub(super) struct WithinKey(pub(super) ScanOptions);

impl ToArgs for WithinKey {
    fn write_args(&self, args: &mut Args) {
        self.0.write_without_type(args, "only SCAN accepts `of_type`; a scan of one key has no types to choose from");
    }
}

/// The outcome of setting a field's time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldExpire {
    /// The field does not exist.
    Missing,
    /// The condition was not met.
    Unchanged,
    /// The time to live was set.
    Set,
    /// The time had passed, so the field was deleted.
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

/// The outcome of removing a field's time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldPersist {
    /// The field does not exist.
    Missing,
    /// The field has no time to live.
    Unchanged,
    /// The time to live was removed.
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

/// Options of [`hsetex`](HashCommands::hsetex).
///
/// They hold at most one condition and one time to live; a later call replaces an earlier one.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::time::Duration;
/// use redis_rest::HashCommands;
/// use redis_rest::commands::hash::HSetExOptions;
///
/// let once = HSetExOptions::new().fnx().expire(Duration::from_secs(300));
/// assert!(redis.hsetex("login", [("code", "1234")], once).await?);
/// assert!(!redis.hsetex("login", [("code", "5678")], once).await?); // the field exists
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct HSetExOptions {
    condition: Option<&'static str>,
    expiry: SetExpiry,
}

impl HSetExOptions {
    /// Creates options without a condition and without a time to live.
    #[must_use]
    pub fn new() -> Self {
        HSetExOptions::default()
    }

    /// Sets the fields only if none of them exists: `FNX`.
    #[must_use]
    pub fn fnx(self) -> Self {
        HSetExOptions { condition: Some("FNX"), ..self }
    }

    /// Sets the fields only if all of them exist: `FXX`.
    #[must_use]
    pub fn fxx(self) -> Self {
        HSetExOptions { condition: Some("FXX"), ..self }
    }

    /// Sets the fields' time to live: `EX`, `PX`, `EXAT` or `PXAT`.
    #[must_use]
    pub fn expire(self, expiry: impl Into<Expiry>) -> Self {
        HSetExOptions { expiry: SetExpiry::Expire(expiry.into()), ..self }
    }

    /// Keeps the fields' time to live: `KEEPTTL`. Without it, `HSETEX` removes the time to live.
    #[must_use]
    pub fn keepttl(self) -> Self {
        HSetExOptions { expiry: SetExpiry::Keep, ..self }
    }
}

impl ToArgs for HSetExOptions {
    fn write_args(&self, args: &mut Args) {
        if let Some(condition) = self.condition {
            args.push(condition);
        }
        self.expiry.write_args(args);
    }
}
