//! What is left of the connection where there is none.

use crate::arg::ToArg;
use crate::command::Command;
use crate::executor::Executor;
use crate::reply::FromReply;

/// The commands about the connection that go over REST. `AUTH`, `CLIENT`, `HELLO`, `QUIT` and `RESET` do not: the token
/// and the HTTP client do their work.
///
/// ```
/// use redis_rest::{Build, ConnectionCommands};
///
/// assert_eq!(Build.ping().args(), ["PING"]);
/// ```
pub trait ConnectionCommands: Executor {
    /// Gives `message` back. [ECHO](https://redis.io/docs/latest/commands/echo/), O(1).
    fn echo<V: FromReply>(self, message: impl ToArg) -> Self::Out<V> {
        self.execute(Command::read("ECHO").arg(message))
    }

    /// Gives `PONG`. [PING](https://redis.io/docs/latest/commands/ping/), O(1).
    fn ping(self) -> Self::Out<String> {
        self.execute(Command::read("PING"))
    }

    /// Gives `message` back. [PING](https://redis.io/docs/latest/commands/ping/), O(1).
    fn ping_with<V: FromReply>(self, message: impl ToArg) -> Self::Out<V> {
        self.execute(Command::read("PING").arg(message))
    }

    /// Chooses a database, of which the service has one: 0.
    /// [SELECT](https://redis.io/docs/latest/commands/select/), O(1).
    fn select(self, database: u32) -> Self::Out<()> {
        let command = Command::read("SELECT").arg(database);
        self.execute(if database == 0 { command } else { command.reject("over REST there is only database 0") })
    }
}

impl<E: Executor> ConnectionCommands for E {}
