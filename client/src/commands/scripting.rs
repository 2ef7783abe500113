//! Lua scripts.

use super::flush::FlushMode;
use crate::arg::ToArg;
use crate::command::{Command, OneOrMore, ScriptCall, ToArgs};
use crate::executor::Executor;
use crate::reply::FromReply;

/// The commands on Lua scripts.
///
/// A script declares the keys that it uses; its other arguments follow them. The client retries a script only if it was
/// certainly not executed. It retries the read-only forms after any failure that can pass.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ScriptingCommands;
///
/// let total: i64 = redis.eval("return redis.call('INCRBY', KEYS[1], ARGV[1])", ["visits"], [5]).await?;
/// assert_eq!(total, 5);
///
/// // No keys: `()`. Arguments of several types: a tuple.
/// let error = redis.evalsha::<i64>("0".repeat(40), (), ("a", 1)).await.unwrap_err();
/// assert_eq!(error.code(), Some("NOSCRIPT")); // the server does not know the script
/// # Ok(())
/// # }
/// ```
pub trait ScriptingCommands: Executor {
    /// Runs a script, and returns its result.
    ///
    /// [EVAL](https://redis.io/docs/latest/commands/eval/), as slow as the script.
    fn eval<R: FromReply>(self, script: impl ToArg, keys: impl ToArgs, args: impl ToArgs) -> Self::Out<R> {
        self.execute(Command::write("EVAL").arg(script).keys_and_args(keys, args))
    }

    /// Runs a script that changes nothing, and returns its result.
    ///
    /// [EVAL_RO](https://redis.io/docs/latest/commands/eval_ro/), as slow as the script.
    fn eval_ro<R: FromReply>(self, script: impl ToArg, keys: impl ToArgs, args: impl ToArgs) -> Self::Out<R> {
        self.execute(Command::read("EVAL_RO").arg(script).keys_and_args(keys, args))
    }

    /// Runs a script that the server knows, by its SHA-1, and returns its result.
    ///
    /// If the server does not know the script, the error has the code `NOSCRIPT`; [`run_script`](Self::run_script)
    /// handles that case.
    ///
    /// [EVALSHA](https://redis.io/docs/latest/commands/evalsha/), as slow as the script.
    fn evalsha<R: FromReply>(self, sha1: impl ToArg, keys: impl ToArgs, args: impl ToArgs) -> Self::Out<R> {
        self.execute(Command::write("EVALSHA").arg(sha1).keys_and_args(keys, args))
    }

    /// Runs a script that changes nothing, by its SHA-1; see [`evalsha`](Self::evalsha).
    ///
    /// [EVALSHA_RO](https://redis.io/docs/latest/commands/evalsha_ro/), as slow as the script.
    fn evalsha_ro<R: FromReply>(self, sha1: impl ToArg, keys: impl ToArgs, args: impl ToArgs) -> Self::Out<R> {
        self.execute(Command::read("EVALSHA_RO").arg(sha1).keys_and_args(keys, args))
    }

    /// Runs a [`Script`](crate::Script), whether or not the server knows it, and returns its result.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::{Script, ScriptingCommands};
    ///
    /// let lock = Script::new("return redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])");
    /// redis.run_script::<()>(lock.key("lock").arg("me").arg(60)).await?;
    ///
    /// let clock = Script::new("return redis.call('TIME')").read_only();
    /// let time: Vec<u64> = redis.run_script(&clock).await?; // no keys, no arguments
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [EVALSHA](https://redis.io/docs/latest/commands/evalsha/), as slow as the script.
    fn run_script<R: FromReply>(self, call: impl Into<ScriptCall>) -> Self::Out<R> {
        self.execute(Command::script(call.into()))
    }

    /// Returns whether the server knows each of these scripts, by their SHA-1.
    ///
    /// [SCRIPT EXISTS](https://redis.io/docs/latest/commands/script-exists/), O(n) in the scripts.
    fn script_exists<K>(self, sha1s: impl OneOrMore<K>) -> Self::Out<Vec<bool>> {
        self.execute(Command::read("SCRIPT").arg("EXISTS").one_or_more("SHA-1", sha1s))
    }

    /// Removes all scripts from the server.
    ///
    /// [SCRIPT FLUSH](https://redis.io/docs/latest/commands/script-flush/), O(n) in the scripts.
    fn script_flush(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("SCRIPT").arg("FLUSH"))
    }

    /// Removes all scripts from the server, in the background or not; see [`script_flush`](Self::script_flush).
    fn script_flush_with(self, mode: FlushMode) -> Self::Out<()> {
        self.execute(Command::idempotent_write("SCRIPT").arg("FLUSH").arg(mode.word()))
    }

    /// Stops the running script, if it has not written anything yet.
    ///
    /// [SCRIPT KILL](https://redis.io/docs/latest/commands/script-kill/), O(1).
    fn script_kill(self) -> Self::Out<()> {
        self.execute(Command::write("SCRIPT").arg("KILL"))
    }

    /// Loads a script into the server, and returns its SHA-1.
    ///
    /// [SCRIPT LOAD](https://redis.io/docs/latest/commands/script-load/), O(n) in the length of the script.
    fn script_load(self, script: impl ToArg) -> Self::Out<String> {
        self.execute(Command::idempotent_write("SCRIPT").arg("LOAD").arg(script))
    }
}

impl<E: Executor> ScriptingCommands for E {}
