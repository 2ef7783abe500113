//! A log, and the calls that are about it as a whole.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use redis_rest::commands::expiry::Ttl;
use redis_rest::commands::stream::StreamId;
use redis_rest::{Build, Command, Executor, GenericCommands as _, StreamCommands as _};

use super::StreamModel;
use super::explain::explain;
use super::group::Group;
use super::info::{self, LogInfo};
use super::retention::Retention;
use crate::key::Key;

/// A log of events of the type `M`, from [`StreamModel::log`].
///
/// The methods take any [`Executor`]: a client, a pipeline, a transaction or a batch.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(stream, prefix = "temperature")]
/// struct Reading {
///     celsius: f64,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = Reading::log("roof");
/// let first = log.append(&redis, &Reading { celsius: 21.5 }).await?;
/// let rest = log.append_many(&redis, &[Reading { celsius: 21.0 }, Reading { celsius: 20.5 }]).await?;
/// assert_eq!((rest.len(), log.len(&redis).await?), (2, 3));
///
/// for entry in log.range(&redis, first.., 2).await? {
///     println!("{} {}", entry.id, entry.event?.celsius); // 21.5, then 21
/// }
/// # Ok(())
/// # }
/// ```
pub struct Log<M> {
    pub(super) key: Key,
    of: PhantomData<fn(M) -> M>,
}

impl<M: StreamModel> Log<M> {
    pub(super) fn new(key: &str) -> Self {
        Log { key: Key::new(M::MODEL_NAME, M::KEY_PREFIX, key), of: PhantomData }
    }

    /// Returns the log at a key that no id can make.
    pub(super) fn at(key: Key) -> Self {
        Log { key, of: PhantomData }
    }

    /// Returns the key of the log, with the name of the model and what is wrong with it.
    pub(super) fn typed_key(&self) -> &Key {
        &self.key
    }

    /// Returns why the key is malformed.
    pub(super) fn problem(&self) -> Option<&'static str> {
        self.key.problem()
    }

    /// Returns the key of the log.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// Returns a consumer group of the log. Nothing is sent: [`Group::create`](crate::Group::create) creates it.
    #[must_use]
    pub fn group(&self, name: impl Into<String>) -> Group<M> {
        Group::new(self.clone(), name.into())
    }

    /// Names the log in the errors of a command that is about it, and makes them say what to do.
    pub(super) fn command<R>(&self, command: Command<R>) -> Command<R> {
        self.key.check(command).explain_with(explain)
    }

    /// Returns the number of entries; 0 if the log does not exist.
    ///
    /// [XLEN](https://redis.io/docs/latest/commands/xlen/), O(1).
    pub fn len<E: Executor>(&self, executor: E) -> E::Out<u64> {
        executor.submit(self.command(Build.xlen(self.key())))
    }

    /// Returns facts about the log: its first and last entry, the last id that it has had, and how many entries were
    /// ever added. Returns `None` if the log does not exist.
    ///
    /// [XINFO STREAM](https://redis.io/docs/latest/commands/xinfo-stream/), O(1).
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, Clone, PartialEq, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = Reading::log("attic");
    /// assert!(log.info(&redis).await?.is_none());
    ///
    /// let id = log.append(&redis, &Reading { celsius: 30.5 }).await?;
    /// log.delete(&redis, [id]).await?;
    /// let info = log.info(&redis).await?.expect("the log exists, without entries");
    /// assert_eq!((info.length, info.last_generated_id, info.max_deleted_id), (0, id, Some(id)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn info<E: Executor>(&self, executor: E) -> E::Out<Option<LogInfo<M>>> {
        let command = Command::read("XINFO").arg("STREAM").key(self.key());
        let command = self.command(command).decode_with_key(info::read).or_else(info::of_error);
        executor.submit(command.recover_with(|_, error| async { info::of_error(error) }))
    }

    /// Returns whether the log exists. A log without entries exists if it has had some, or if it has a group.
    ///
    /// [EXISTS](https://redis.io/docs/latest/commands/exists/), O(1).
    pub fn exists<E: Executor>(&self, executor: E) -> E::Out<bool> {
        executor.submit(self.command(Command::read("EXISTS").key(self.key()).reply()))
    }

    /// Removes the entries that need not stay, and returns how many.
    ///
    /// [XTRIM](https://redis.io/docs/latest/commands/xtrim/), O(n) in the removed entries. By age, or with several
    /// limits, it is a script. [`Retention`] shows an example.
    ///
    /// A group that has not read an entry that is removed will never see it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the retention has no limit.
    pub fn trim<E: Executor>(&self, executor: E, retention: Retention) -> E::Out<u64> {
        executor.submit(self.command(retention.trim(self.key())))
    }

    /// Removes entries, and returns how many of them existed.
    ///
    /// [XDEL](https://redis.io/docs/latest/commands/xdel/), O(1) per id.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no ids.
    pub fn delete<E: Executor>(&self, executor: E, ids: impl IntoIterator<Item = StreamId>) -> E::Out<u64> {
        executor.submit(self.command(Build.xdel(self.key(), ids)))
    }

    /// Removes the log with all its entries and groups, and returns whether it existed.
    ///
    /// [DEL](https://redis.io/docs/latest/commands/del/), O(n) in the entries. The next append creates the log again.
    /// To remove the entries alone, use [`trim`](Self::trim) with `max_len(0)`: it keeps groups and the last id. Keys
    /// of [`once`](super::AppendOptions::once) remain known.
    pub fn clear<E: Executor>(&self, executor: E) -> E::Out<bool> {
        executor.submit(self.command(Command::write("DEL").key(self.key()).reply()))
    }

    /// Sets the time to live of the whole log, and returns whether it exists. Appends do not change it.
    ///
    /// [PEXPIRE](https://redis.io/docs/latest/commands/pexpire/), O(1). To remove old entries alone, see
    /// [`Retention::max_age`].
    pub fn expire<E: Executor>(&self, executor: E, ttl: Duration) -> E::Out<bool> {
        executor.submit(self.command(Build.pexpire(self.key(), ttl)))
    }

    /// Removes the time to live of the log, and returns whether it had one.
    ///
    /// [PERSIST](https://redis.io/docs/latest/commands/persist/), O(1).
    pub fn persist<E: Executor>(&self, executor: E) -> E::Out<bool> {
        executor.submit(self.command(Build.persist(self.key())))
    }

    /// Returns the time to live of the log.
    ///
    /// [PTTL](https://redis.io/docs/latest/commands/pttl/), O(1).
    pub fn ttl<E: Executor>(&self, executor: E) -> E::Out<Ttl> {
        executor.submit(self.command(Build.pttl(self.key())))
    }
}

impl<M> Clone for Log<M> {
    fn clone(&self) -> Self {
        Log { key: self.key.clone(), of: PhantomData }
    }
}

impl<M> fmt::Debug for Log<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("key", &self.key.as_str()).finish_non_exhaustive()
    }
}
