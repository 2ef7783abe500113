//! Consumer groups: the commands on a group of one log.

use std::fmt;
use std::ops::RangeBounds;
use std::sync::LazyLock;

use redis_rest::commands::stream::{
    ConsumerInfo, GroupInfo, GroupPosition, GroupStart, Pending, PendingSummary, StreamEntries, StreamId, StreamInfo,
    XGroupCreateOptions, XPendingOptions, XReadGroupOptions,
};
use redis_rest::{
    Build, Command, Error, ErrorKind, Executor, FromReply, Result, Script, ScriptCall, StreamCommands, ToArg, Value,
};

use super::StreamModel;
use super::entry::{Entry, named};
use super::facts::Facts;
use super::log::Log;
use crate::key::{MAX_KEY, SEPARATOR};
use crate::scripts::{lua, script};

static REMOVE_CONSUMER: LazyLock<Script> = LazyLock::new(|| script(&[lua::GROUP_REMOVE_CONSUMER]).key_locking());

/// The most that Redis takes as a number of entries or milliseconds.
pub(super) const MOST: u64 = u64::MAX >> 1;

/// A consumer group of a log, from [`Log::group`]. A group delivers each entry of the log to one of its consumers. The
/// entry is *pending* with that consumer until it is acknowledged.
///
/// [`Worker`](crate::Worker) handles the entries of a group: most programs need only that. These are the commands for
/// programs that do something else, and for looking after a group. Do not read by hand under the name of a running
/// worker.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, prefix = "order-events")]
/// enum OrderEvent {
///     Paid { cents: i64 },
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = OrderEvent::log(17);
/// let billing = log.group("billing");
/// billing.create(&redis).await?; // from the start of the log; no error if it exists
///
/// for entry in billing.read(&redis, "by-hand", 10).await? {
///     match entry.event {
///         Ok(event) => println!("{}: {event:?}", entry.id),
///         Err(error) => eprintln!("set aside: {error}"),
///     }
///     billing.ack(&redis, [entry.id]).await?;
/// }
/// assert_eq!(billing.pending(&redis).await?.count, 0);
/// # Ok(())
/// # }
/// ```
///
/// A command on a group that does not exist fails with `NotFound`. A group that was destroyed has
/// lost its position and its pending entries: create it again only where handling entries twice does no harm, or with
/// [`create_at`](Group::create_at) after the last entry that was handled.
pub struct Group<M> {
    log: Log<M>,
    name: String,
    dead_letters: Option<String>,
}

/// The state of a group, from [`Group::status`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupStatus {
    /// What the server says about the group. On some servers, its `lag` counts entries that were trimmed before they
    /// were delivered, too.
    pub info: GroupInfo,
    /// How many entries the log has.
    pub len: u64,
    /// How many entries of the log are still to be delivered. `None` if the server does not know: the position of the
    /// group was set, or entries in the middle of the log were deleted.
    pub waiting: Option<u64>,
    /// How many entries were trimmed before they were delivered, since the group has last read: it has missed them. It
    /// is right unless entries were deleted one by one, by `XDEL`. `None` if the server does not know.
    pub missed: Option<u64>,
}

impl<M: StreamModel> Group<M> {
    pub(super) fn new(log: Log<M>, name: String) -> Self {
        Group { log, name, dead_letters: None }
    }

    /// Sets the key of the dead-letter stream. By default, each group of each log has its own,
    /// `order-events:17::dead:billing`. Several groups and logs can share one.
    #[must_use]
    pub fn with_dead_letters(mut self, key: impl Into<String>) -> Self {
        self.dead_letters = Some(key.into());
        self
    }

    /// Returns the name of the group.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the log.
    #[must_use]
    pub fn log(&self) -> &Log<M> {
        &self.log
    }

    /// Returns the key of the dead-letter stream.
    #[must_use]
    pub fn dead_letters_key(&self) -> String {
        self.dead_letters.clone().unwrap_or_else(|| self.key_of("dead"))
    }

    /// Returns the key of the stream of redriven entries, which only this group reads.
    #[must_use]
    pub fn retries_key(&self) -> String {
        self.key_of("retry")
    }

    /// Returns the key of the times before which entries wait.
    pub(super) fn waits_key(&self) -> String {
        self.key_of("wait")
    }

    fn key_of(&self, what: &str) -> String {
        format!("{}{SEPARATOR}{SEPARATOR}{what}{SEPARATOR}{}", self.log.key(), self.name)
    }

    /// Names the log in the errors of a command, and makes it fail if one of the names is malformed.
    pub(super) fn check<R>(&self, command: Command<R>) -> Command<R> {
        let command = self.log.command(command);
        if self.name.is_empty() || self.name.contains(SEPARATOR) {
            return command.reject("the name of a group needs at least one character and no `:`, which separates keys");
        }
        if self.retries_key().len() > MAX_KEY || self.dead_letters_key().len() > MAX_KEY {
            return command.reject("the keys of the group would be longer than 32 KB; choose a shorter name");
        }
        match &self.dead_letters {
            Some(key) if key.is_empty() || key == self.log.key() || self.is_of_log(key) => {
                command.reject("the key of the dead-letter stream is empty, or a key of the log; use one of its own")
            }
            _ => command,
        }
    }

    /// Whether a key is one of those that the log has for other things.
    fn is_of_log(&self, key: &str) -> bool {
        let own = key.strip_prefix(self.log.key()).and_then(|rest| rest.strip_prefix("::"));
        own.is_some_and(|own| !own.starts_with("dead:"))
    }

    /// Creates the group at the start of the log, so that it delivers all entries. It is no error if the group exists:
    /// its position stays as it is. The log need not exist.
    ///
    /// [XGROUP CREATE](https://redis.io/docs/latest/commands/xgroup-create/) with MKSTREAM, O(1).
    pub fn create<E: Executor>(&self, executor: E) -> E::Out<()> {
        self.create_at(executor, GroupStart::Beginning)
    }

    /// Creates the group at a position: `GroupStart::End` delivers only entries that are added from now on. It is no
    /// error if the group exists: its position stays as it is.
    ///
    /// [XGROUP CREATE](https://redis.io/docs/latest/commands/xgroup-create/) with MKSTREAM, O(1).
    pub fn create_at<E: Executor>(&self, executor: E, start: GroupStart) -> E::Out<()> {
        let command = Command::idempotent_write("XGROUP").arg("CREATE").key(self.log.key()).arg(&self.name);
        let command = command.options(start).options(XGroupCreateOptions::new().mkstream());
        // On its own, the command fails before its reply is decoded.
        let command = self.check(command.decode_with(|reply| exists_or(Value::from_reply(reply).map(drop))));
        executor.submit(command.recover_with(|_, error| async { exists_or(Err(error)) }))
    }

    /// Removes the group, its position and what is pending, and returns whether it existed. Entries stay in the log.
    /// Redriven entries and dead letters stay, too.
    ///
    /// [XGROUP DESTROY](https://redis.io/docs/latest/commands/xgroup-destroy/), O(n) in its pending entries.
    pub fn destroy<E: Executor>(&self, executor: E) -> E::Out<bool> {
        executor.submit(self.check(Build.xgroup_destroy(self.log.key(), &self.name)))
    }

    /// Sets the position: the next entries to deliver are those after it. What is pending stays so.
    ///
    /// [XGROUP SETID](https://redis.io/docs/latest/commands/xgroup-setid/), O(1). The server does not know then how
    /// many entries the group has read, until it has read the last one.
    pub fn set_position<E: Executor>(&self, executor: E, start: GroupStart) -> E::Out<()> {
        executor.submit(self.check(Build.xgroup_setid(self.log.key(), &self.name, start)))
    }

    /// Delivers up to `count` new entries to a consumer. They are pending with it until they are acknowledged.
    ///
    /// [XREADGROUP](https://redis.io/docs/latest/commands/xreadgroup/), O(n) in the entries. It is not repeated if the
    /// reply is lost: the entries are pending then, and [`read_pending`](Group::read_pending) returns them.
    pub fn read<E: Executor>(&self, executor: E, consumer: impl ToArg, count: u64) -> E::Out<Vec<Entry<Result<M>>>> {
        self.read_from(executor, consumer, GroupPosition::New, count)
    }

    /// Delivers up to `count` entries once more that are pending with a consumer, after an id.
    ///
    /// [XREADGROUP](https://redis.io/docs/latest/commands/xreadgroup/), O(n) in the entries. It counts as a delivery of
    /// each. The event of an entry that was trimmed is the error `NotFound`.
    pub fn read_pending<E: Executor>(
        &self,
        executor: E,
        consumer: impl ToArg,
        after: StreamId,
        count: u64,
    ) -> E::Out<Vec<Entry<Result<M>>>> {
        self.read_from(executor, consumer, GroupPosition::PendingAfter(after), count)
    }

    fn read_from<E: Executor>(
        &self,
        executor: E,
        consumer: impl ToArg,
        position: GroupPosition,
        count: u64,
    ) -> E::Out<Vec<Entry<Result<M>>>> {
        let options = XReadGroupOptions::new().count(count.min(MOST));
        let streams = [(self.log.key(), position)];
        let command = Build.xreadgroup::<Value, M>(&self.name, consumer, streams, options);
        let log = self.log.key().to_owned();
        executor.submit(self.check(command).and_then(move |streams: Vec<StreamEntries<Value, Result<M>>>| {
            let entries = streams.into_iter().flat_map(|stream| stream.entries);
            Ok(entries.map(|entry| named(entry, &log, "XREADGROUP")).collect())
        }))
    }

    /// Acknowledges entries and returns how many were pending.
    ///
    /// [XACK](https://redis.io/docs/latest/commands/xack/), O(1) for each. It does not check which consumer an entry is
    /// pending with: one that was paused can acknowledge an entry that another one is handling. A
    /// [`Worker`](crate::Worker) does check.
    pub fn ack<E: Executor>(&self, executor: E, ids: impl IntoIterator<Item = StreamId>) -> E::Out<u64> {
        let ids: Vec<_> = ids.into_iter().collect();
        executor.submit(self.check(Build.xack(self.log.key(), &self.name, ids)))
    }

    /// Returns how many entries are pending, with whom, and between which ids.
    ///
    /// [XPENDING](https://redis.io/docs/latest/commands/xpending/), O(n) in the consumers.
    pub fn pending<E: Executor>(&self, executor: E) -> E::Out<PendingSummary> {
        executor.submit(self.check(Build.xpending(self.log.key(), &self.name)))
    }

    /// Returns up to `count` pending entries of a range of ids: their consumers, how long they have been idle, and
    /// their delivery counts. For a worker, that is how often the handling of an entry has begun.
    ///
    /// [XPENDING](https://redis.io/docs/latest/commands/xpending/), O(n) in the entries.
    pub fn pending_range<E: Executor>(
        &self,
        executor: E,
        range: impl RangeBounds<StreamId>,
        count: u64,
        options: XPendingOptions,
    ) -> E::Out<Vec<Pending>> {
        executor.submit(self.check(Build.xpending_range(self.log.key(), &self.name, range, count.min(MOST), options)))
    }

    /// Returns the consumers.
    ///
    /// [XINFO CONSUMERS](https://redis.io/docs/latest/commands/xinfo-consumers/), O(n) in the consumers.
    pub fn consumers<E: Executor>(&self, executor: E) -> E::Out<Vec<ConsumerInfo>> {
        executor.submit(self.check(Build.xinfo_consumers(self.log.key(), &self.name)))
    }

    /// Removes a consumer that has nothing pending, and returns whether it existed.
    ///
    /// A script, O(n) in the consumers.
    ///
    /// # Errors
    ///
    /// `Conflict` if entries are pending with it. They would be lost: let others claim them first.
    pub fn remove_consumer<E: Executor>(&self, executor: E, consumer: impl ToArg) -> E::Out<bool> {
        let call = ScriptCall::from(&REMOVE_CONSUMER).key(self.log.key()).key(self.retries_key());
        let command = self.check(call.arg(&self.name).arg(consumer).command());
        executor.submit(command.decode_with(|reply| match i64::from_reply(reply)? {
            -1 => Ok(true),
            0 => Ok(false),
            pending => {
                let why =
                    format!("{pending} entries are pending with the consumer, and would be lost; claim them first");
                Err(Error::new(ErrorKind::Conflict, why))
            }
        }))
    }

    /// Returns the state of the group: its position, what is pending, how many entries wait, and how many it has missed
    /// because they were trimmed before they were delivered.
    ///
    /// [XINFO](https://redis.io/docs/latest/commands/xinfo-groups/) GROUPS and STREAM in one transaction, O(n) in the
    /// groups.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such group. `Redis` if there is no log.
    pub fn status<E: Executor>(&self, executor: E) -> E::Out<GroupStatus> {
        let groups = self.check(Command::read("XINFO").arg("GROUPS").key(self.log.key()));
        let stream = Command::read("XINFO").arg("STREAM").key(self.log.key());
        let both = groups.and(stream, |mut replies| {
            let groups: Vec<GroupInfo> = FromReply::from_reply(replies.expect_next()?)?;
            let stream: StreamInfo<Value> = FromReply::from_reply(replies.expect_next()?)?;
            Ok((groups, stream))
        });
        let name = self.name.clone();
        executor.submit(both.and_then(move |(groups, stream): (Vec<GroupInfo>, StreamInfo<Value>)| {
            let info = groups.into_iter().find(|group| group.name == name);
            let info = info.ok_or_else(|| {
                Error::new(ErrorKind::NotFound, "the log has no group of this name; call `create` first")
            })?;
            Ok(GroupStatus::of(info, &stream))
        }))
    }
}

impl GroupStatus {
    fn of(info: GroupInfo, stream: &StreamInfo<Value>) -> Self {
        let missed = Facts::of(stream).missed_by(info.last_delivered_id, info.entries_read);
        // If the group has missed entries, all that the log has come after them.
        let waiting = if missed.is_some_and(|missed| missed > 0) { Some(stream.length) } else { info.lag };
        GroupStatus { info, len: stream.length, waiting, missed }
    }
}

/// The group exists: that is no error.
fn exists_or(created: Result<()>) -> Result<()> {
    match created {
        Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
        created => created,
    }
}

impl<M> Clone for Group<M> {
    fn clone(&self) -> Self {
        Group { log: self.log.clone(), name: self.name.clone(), dead_letters: self.dead_letters.clone() }
    }
}

impl<M> fmt::Debug for Group<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("log", &self.log).field("name", &self.name).finish_non_exhaustive()
    }
}
