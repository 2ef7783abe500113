//! The server: its users, settings, statistics and data as a whole.

mod acl;
mod replies;

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::acl::{AclLogEntry, AclSelector, AclUser};
pub use self::replies::{CommandInfo, FindKeys, FirstKey, KeySpec, ServerInfo};
use super::flush::FlushMode;
use crate::arg::ToArg;
use crate::command::{Command, OneOrMore, OneOrMorePairs};
use crate::executor::Executor;
use crate::reply::FromReply as _;

/// Commands on the server itself. For `MONITOR`, use [`Redis::monitor`](crate::Redis::monitor), a stream of events.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ServerCommands;
///
/// redis.acl_setuser("reader", ["on", "~cache:*", "+@read"]).await?;
/// let reader = redis.acl_getuser("reader").await?;
/// assert!(reader.is_some_and(|user| user.root.commands.contains("+@read")));
///
/// let info = redis.info_with(["server", "memory"]).await?;
/// let (version, memory) = (info.get("redis_version"), info.get("used_memory"));
/// println!("Redis {version:?} uses {memory:?} bytes at {:?}", redis.time().await?);
///
/// redis.flushdb().await?; // or flushdb_with(FlushMode::Async)
/// assert_eq!(redis.dbsize().await?, 0);
/// # Ok(())
/// # }
/// ```
pub trait ServerCommands: Executor {
    /// Returns the categories of commands, or the commands of one category.
    /// [ACL CAT](https://redis.io/docs/latest/commands/acl-cat/), O(1).
    fn acl_cat(self, category: Option<&str>) -> Self::Out<Vec<String>> {
        self.execute(Command::read("ACL").arg("CAT").args_of(category))
    }

    /// Deletes users and returns how many existed. [ACL DELUSER](https://redis.io/docs/latest/commands/acl-deluser/),
    /// O(n) in the connections.
    fn acl_deluser<K>(self, usernames: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("ACL").arg("DELUSER").one_or_more("username", usernames))
    }

    /// Returns a random password in hexadecimal digits, of `bits` bits or 256 by default. `InvalidInput` if `bits` is
    /// 0 or more than 4096. [ACL GENPASS](https://redis.io/docs/latest/commands/acl-genpass/), O(1).
    fn acl_genpass(self, bits: Option<u32>) -> Self::Out<String> {
        let command = Command::read("ACL").arg("GENPASS").args_of(bits);
        self.execute(match bits {
            Some(0 | 4097..) => command.reject("a password has 1 to 4096 bits"),
            _ => command,
        })
    }

    /// Creates a token with which a user can use the REST API. Only the service has this command, open-source Redis
    /// does not: [ACL GENTOKEN](https://upstash.com/docs/redis/features/acl), O(1).
    fn acl_gentoken(self, username: impl ToArg, password: Option<&str>) -> Self::Out<String> {
        self.execute(Command::write("ACL").arg("GENTOKEN").arg(username).args_of(password))
    }

    /// Returns the permissions of a user, or `None` if the user does not exist.
    /// [ACL GETUSER](https://redis.io/docs/latest/commands/acl-getuser/), O(n) in the rules.
    fn acl_getuser(self, username: impl ToArg) -> Self::Out<Option<AclUser>> {
        self.execute(Command::read("ACL").arg("GETUSER").arg(username))
    }

    /// Returns all users, each with its rules in one line.
    /// [ACL LIST](https://redis.io/docs/latest/commands/acl-list/), O(n) in the users.
    fn acl_list(self) -> Self::Out<Vec<String>> {
        self.execute(Command::read("ACL").arg("LIST"))
    }

    /// Reloads the users from the server's ACL file. [ACL LOAD](https://redis.io/docs/latest/commands/acl-load/), O(n)
    /// in the users.
    fn acl_load(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("ACL").arg("LOAD"))
    }

    /// Returns the most recent violations of permissions, newest first: 10, or up to `count`.
    /// [ACL LOG](https://redis.io/docs/latest/commands/acl-log/), O(n) in the entries.
    fn acl_log(self, count: Option<u64>) -> Self::Out<Vec<AclLogEntry>> {
        self.execute(Command::read("ACL").arg("LOG").args_of(count))
    }

    /// Deletes the log of violations. [ACL LOG](https://redis.io/docs/latest/commands/acl-log/), O(n) in the entries.
    fn acl_log_reset(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("ACL").arg("LOG").arg("RESET"))
    }

    /// Returns the token with which a user can use the REST API. Only the service has this command, open-source Redis
    /// does not: [ACL RESTTOKEN](https://upstash.com/docs/redis/features/acl), O(1).
    fn acl_resttoken(self, username: impl ToArg, password: impl ToArg) -> Self::Out<String> {
        self.execute(Command::read("ACL").arg("RESTTOKEN").arg(username).arg(password))
    }

    /// Saves the users to the server's ACL file. [ACL SAVE](https://redis.io/docs/latest/commands/acl-save/), O(n) in
    /// the users.
    fn acl_save(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("ACL").arg("SAVE"))
    }

    /// Creates or changes a user. The
    /// [rules](https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/) apply in order, on top of
    /// the existing ones. [ACL SETUSER](https://redis.io/docs/latest/commands/acl-setuser/), O(n) in the rules.
    fn acl_setuser<K>(self, username: impl ToArg, rules: impl OneOrMore<K>) -> Self::Out<()> {
        // A selector is added each time, and a password can be removed once.
        self.execute(Command::write("ACL").arg("SETUSER").arg(username).args_of(rules))
    }

    /// Returns the names of all users. [ACL USERS](https://redis.io/docs/latest/commands/acl-users/), O(n) in the
    /// users.
    fn acl_users(self) -> Self::Out<Vec<String>> {
        self.execute(Command::read("ACL").arg("USERS"))
    }

    /// Returns the user to whom the token belongs. [ACL WHOAMI](https://redis.io/docs/latest/commands/acl-whoami/),
    /// O(1).
    fn acl_whoami(self) -> Self::Out<String> {
        self.execute(Command::read("ACL").arg("WHOAMI"))
    }

    /// Returns all commands that the server has. [COMMAND](https://redis.io/docs/latest/commands/command/), O(n) in
    /// the commands.
    fn command(self) -> Self::Out<Vec<CommandInfo>> {
        self.execute(Command::read("COMMAND"))
    }

    /// Returns settings of the server, by names or glob-style patterns.
    /// [CONFIG GET](https://redis.io/docs/latest/commands/config-get/), O(n) in the settings.
    fn config_get<K>(self, parameters: impl OneOrMore<K>) -> Self::Out<HashMap<String, String>> {
        self.execute(Command::read("CONFIG").arg("GET").one_or_more("parameter", parameters))
    }

    /// Changes settings of the server, all or none. [CONFIG SET](https://redis.io/docs/latest/commands/config-set/),
    /// O(n) in the settings.
    fn config_set<K>(self, settings: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>) -> Self::Out<()> {
        self.execute(Command::idempotent_write("CONFIG").arg("SET").one_or_more_pairs("parameter and value", settings))
    }

    /// Returns the number of keys. [DBSIZE](https://redis.io/docs/latest/commands/dbsize/), O(1).
    fn dbsize(self) -> Self::Out<u64> {
        self.execute(Command::read("DBSIZE"))
    }

    /// Deletes all keys of all databases. [FLUSHALL](https://redis.io/docs/latest/commands/flushall/), O(n) in the
    /// keys.
    fn flushall(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("FLUSHALL"))
    }

    /// As [`flushall`](Self::flushall), in the background or not.
    fn flushall_with(self, mode: FlushMode) -> Self::Out<()> {
        self.execute(Command::idempotent_write("FLUSHALL").arg(mode.word()))
    }

    /// Deletes all keys of the database. [FLUSHDB](https://redis.io/docs/latest/commands/flushdb/), O(n) in the keys.
    fn flushdb(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("FLUSHDB"))
    }

    /// As [`flushdb`](Self::flushdb), in the background or not.
    fn flushdb_with(self, mode: FlushMode) -> Self::Out<()> {
        self.execute(Command::idempotent_write("FLUSHDB").arg(mode.word()))
    }

    /// Returns information and statistics about the server: the default sections.
    /// [INFO](https://redis.io/docs/latest/commands/info/), O(1).
    fn info(self) -> Self::Out<ServerInfo> {
        self.execute(Command::read("INFO"))
    }

    /// As [`info`](Self::info), of one section or several. `everything` selects all sections. Several sections need Redis
    /// 7.
    fn info_with<K>(self, sections: impl OneOrMore<K>) -> Self::Out<ServerInfo> {
        self.execute(Command::read("INFO").one_or_more("section", sections))
    }

    /// Returns the server's time, in microseconds. [TIME](https://redis.io/docs/latest/commands/time/), O(1).
    fn time(self) -> Self::Out<SystemTime> {
        self.submit(Command::read("TIME").decode_with(|reply| {
            let (seconds, micros) = <(u64, u32)>::from_reply(reply)?;
            let since = Duration::from_secs(seconds).saturating_add(Duration::from_micros(micros.into()));
            UNIX_EPOCH.checked_add(since).ok_or_else(|| reply.mismatch("a time"))
        }))
    }
}

impl<E: Executor> ServerCommands for E {}
