//! The server: its users, its settings, what it knows of itself, and how to empty it.

mod acl;
mod replies;

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::acl::{AclLogEntry, AclSelector, AclUser};
pub use self::replies::{CommandInfo, ServerInfo};
use super::scripting::FlushMode;
use crate::arg::ToArg;
use crate::command::Command;
use crate::executor::Executor;
use crate::reply::FromReply as _;

/// The commands on the server itself. `MONITOR` is a stream of events: [`Redis::monitor`](crate::Redis::monitor).
///
/// ```
/// use redis_rest::{Build, ServerCommands};
/// use redis_rest::commands::scripting::FlushMode;
///
/// assert_eq!(Build.dbsize().args(), ["DBSIZE"]);
/// assert_eq!(Build.flushdb(FlushMode::Async).args(), ["FLUSHDB", "ASYNC"]);
/// assert_eq!(Build.acl_setuser("ada", ["on", "~cache:*", "+@read"]).args(), ["ACL", "SETUSER", "ada", "on", "~cache:*", "+@read"]);
/// ```
pub trait ServerCommands: Executor {
    /// The categories of commands, or the commands of one category.
    /// [ACL CAT](https://redis.io/docs/latest/commands/acl-cat/), O(1).
    fn acl_cat(self, category: Option<&str>) -> Self::Out<Vec<String>> {
        self.execute(Command::read("ACL").arg("CAT").args_of(category))
    }

    /// Deletes users, and gives how many there were.
    /// [ACL DELUSER](https://redis.io/docs/latest/commands/acl-deluser/), O(n) in the connections.
    fn acl_deluser(self, usernames: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::write("ACL").arg("DELUSER").one_or_more("username", usernames))
    }

    /// A random password in hexadecimal digits, of 256 bits or as many as are given, 4096 at most.
    /// [ACL GENPASS](https://redis.io/docs/latest/commands/acl-genpass/), O(1).
    fn acl_genpass(self, bits: Option<u32>) -> Self::Out<String> {
        let command = Command::read("ACL").arg("GENPASS").args_of(bits);
        self.execute(match bits {
            Some(0 | 4097..) => command.reject("a password has 1 to 4096 bits"),
            _ => command,
        })
    }

    /// A token by which a user may use the REST API. The service alone has it, and open-source Redis does not:
    /// [ACL GENTOKEN](https://upstash.com/docs/redis/features/acl), O(1).
    fn acl_gentoken(self, username: impl ToArg, password: Option<&str>) -> Self::Out<String> {
        self.execute(Command::write("ACL").arg("GENTOKEN").arg(username).args_of(password))
    }

    /// What a user may do; `None` when there is no such user.
    /// [ACL GETUSER](https://redis.io/docs/latest/commands/acl-getuser/), O(n) in the rules.
    fn acl_getuser(self, username: impl ToArg) -> Self::Out<Option<AclUser>> {
        self.execute(Command::read("ACL").arg("GETUSER").arg(username))
    }

    /// All users, each with its rules in one line.
    /// [ACL LIST](https://redis.io/docs/latest/commands/acl-list/), O(n) in the users.
    fn acl_list(self) -> Self::Out<Vec<String>> {
        self.execute(Command::read("ACL").arg("LIST"))
    }

    /// Reads the users anew from the server's ACL file.
    /// [ACL LOAD](https://redis.io/docs/latest/commands/acl-load/), O(n) in the users.
    fn acl_load(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("ACL").arg("LOAD"))
    }

    /// What users tried and were not allowed to, newest first, 10 entries or as many as are given.
    /// [ACL LOG](https://redis.io/docs/latest/commands/acl-log/), O(n) in the entries.
    fn acl_log(self, count: Option<u64>) -> Self::Out<Vec<AclLogEntry>> {
        self.execute(Command::read("ACL").arg("LOG").args_of(count))
    }

    /// Empties that log. [ACL LOG](https://redis.io/docs/latest/commands/acl-log/), O(n) in the entries.
    fn acl_log_reset(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("ACL").arg("LOG").arg("RESET"))
    }

    /// The token by which a user may use the REST API. The service alone has it, and open-source Redis does not:
    /// [ACL RESTTOKEN](https://upstash.com/docs/redis/features/acl), O(1).
    fn acl_resttoken(self, username: impl ToArg, password: impl ToArg) -> Self::Out<String> {
        self.execute(Command::read("ACL").arg("RESTTOKEN").arg(username).arg(password))
    }

    /// Writes the users to the server's ACL file.
    /// [ACL SAVE](https://redis.io/docs/latest/commands/acl-save/), O(n) in the users.
    fn acl_save(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("ACL").arg("SAVE"))
    }

    /// Makes a user, or changes one: the [rules](https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/)
    /// apply in order, to what the user may already do.
    /// [ACL SETUSER](https://redis.io/docs/latest/commands/acl-setuser/), O(n) in the rules.
    fn acl_setuser(self, username: impl ToArg, rules: impl IntoIterator<Item = impl ToArg>) -> Self::Out<()> {
        // A selector is added each time, and a password can be removed once.
        self.execute(Command::write("ACL").arg("SETUSER").arg(username).args_of(rules))
    }

    /// The names of all users. [ACL USERS](https://redis.io/docs/latest/commands/acl-users/), O(n) in the users.
    fn acl_users(self) -> Self::Out<Vec<String>> {
        self.execute(Command::read("ACL").arg("USERS"))
    }

    /// The user that the token stands for. [ACL WHOAMI](https://redis.io/docs/latest/commands/acl-whoami/), O(1).
    fn acl_whoami(self) -> Self::Out<String> {
        self.execute(Command::read("ACL").arg("WHOAMI"))
    }

    /// All commands that the server has. [COMMAND](https://redis.io/docs/latest/commands/command/), O(n) in the commands.
    fn command(self) -> Self::Out<Vec<CommandInfo>> {
        self.execute(Command::read("COMMAND"))
    }

    /// Settings of the server, by their names or glob-style patterns.
    /// [CONFIG GET](https://redis.io/docs/latest/commands/config-get/), O(n) in the settings.
    fn config_get(self, parameters: impl IntoIterator<Item = impl ToArg>) -> Self::Out<HashMap<String, String>> {
        self.execute(Command::read("CONFIG").arg("GET").one_or_more("parameter", parameters))
    }

    /// Changes settings of the server, all or none. [CONFIG SET](https://redis.io/docs/latest/commands/config-set/), O(n) in
    /// the settings.
    fn config_set<P: ToArg, V: ToArg>(self, settings: impl IntoIterator<Item = (P, V)>) -> Self::Out<()> {
        self.execute(Command::idempotent_write("CONFIG").arg("SET").one_or_more_pairs("parameter and value", settings))
    }

    /// How many keys there are. [DBSIZE](https://redis.io/docs/latest/commands/dbsize/), O(1).
    fn dbsize(self) -> Self::Out<u64> {
        self.execute(Command::read("DBSIZE"))
    }

    /// Deletes all keys of all databases. [FLUSHALL](https://redis.io/docs/latest/commands/flushall/), O(n) in the keys.
    fn flushall(self, mode: FlushMode) -> Self::Out<()> {
        self.execute(Command::idempotent_write("FLUSHALL").arg(mode.word()))
    }

    /// Deletes all keys. [FLUSHDB](https://redis.io/docs/latest/commands/flushdb/), O(n) in the keys.
    fn flushdb(self, mode: FlushMode) -> Self::Out<()> {
        self.execute(Command::idempotent_write("FLUSHDB").arg(mode.word()))
    }

    /// What the server says of itself, all or one section of it.
    /// [INFO](https://redis.io/docs/latest/commands/info/), O(1).
    fn info(self, section: Option<&str>) -> Self::Out<ServerInfo> {
        self.execute(Command::read("INFO").args_of(section))
    }

    /// What time it is on the server, to the microsecond. [TIME](https://redis.io/docs/latest/commands/time/), O(1).
    fn time(self) -> Self::Out<SystemTime> {
        self.submit(Command::read("TIME").decode_with(|reply| {
            let (seconds, micros) = <(u64, u32)>::from_reply(reply)?;
            let since = Duration::from_secs(seconds).saturating_add(Duration::from_micros(micros.into()));
            UNIX_EPOCH.checked_add(since).ok_or_else(|| reply.mismatch("a time"))
        }))
    }
}

impl<E: Executor> ServerCommands for E {}
