//! The connection commands that work over REST.

use crate::arg::ToArg;
use crate::command::Command;
use crate::executor::Executor;
use crate::reply::FromReply;

/// The connection commands that work over REST.
///
/// `AUTH`, `CLIENT`, `HELLO`, `QUIT` and `RESET` do not: the token and the HTTP client replace them.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ConnectionCommands;
///
/// assert_eq!(redis.ping().await?, "PONG");
/// let error = redis.select(1).await.unwrap_err();
/// assert!(error.is_invalid_input());
/// # Ok(())
/// # }
/// ```
pub trait ConnectionCommands: Executor {
    /// Returns `message`.
    ///
    /// [ECHO](https://redis.io/docs/latest/commands/echo/), O(1).
    fn echo<V: FromReply>(self, message: impl ToArg) -> Self::Out<V> {
        self.execute(Command::read("ECHO").arg(message))
    }

    /// Returns `PONG`.
    ///
    /// [PING](https://redis.io/docs/latest/commands/ping/), O(1).
    fn ping(self) -> Self::Out<String> {
        self.execute(Command::read("PING"))
    }

    /// Returns `message`.
    ///
    /// [PING](https://redis.io/docs/latest/commands/ping/), O(1).
    fn ping_with<V: FromReply>(self, message: impl ToArg) -> Self::Out<V> {
        self.execute(Command::read("PING").arg(message))
    }

    /// Selects a database. Over REST there is only database 0.
    ///
    /// Fails with `InvalidInput` if `database` is not 0.
    ///
    /// [SELECT](https://redis.io/docs/latest/commands/select/), O(1).
    fn select(self, database: u32) -> Self::Out<()> {
        let command = Command::read("SELECT").arg(database);
        self.execute(if database == 0 { command } else { command.reject("over REST there is only database 0") })
    }
}

impl<E: Executor> ConnectionCommands for E {}
