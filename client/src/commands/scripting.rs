//! Lua scripts.

use crate::arg::ToArg;
use crate::command::Command;
use crate::command::Script;
use crate::executor::Executor;
use crate::reply::FromReply;

/// The commands on Lua scripts. The keys that a script touches are to be declared; its other arguments come after them.
///
/// A script counts as a write that must not be executed twice; the read-only forms are retried whatever happened.
///
/// ```
/// use redis_rest::{Build, ScriptingCommands};
///
/// let args = Build.eval::<i64>("return redis.call('INCRBY', KEYS[1], ARGV[1])", ["hits"], [5]).args();
/// assert_eq!(args, ["EVAL", "return redis.call('INCRBY', KEYS[1], ARGV[1])", "1", "hits", "5"]);
/// ```
pub trait ScriptingCommands: Executor {
    /// Runs a script. [EVAL](https://redis.io/docs/latest/commands/eval/), as slow as the script.
    fn eval<R: FromReply>(
        self,
        script: impl ToArg,
        keys: impl IntoIterator<Item = impl ToArg>,
        args: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<R> {
        self.execute(Command::write("EVAL").arg(script).keys_and_args(keys, args))
    }

    /// Runs a script that changes nothing. [EVAL_RO](https://redis.io/docs/latest/commands/eval_ro/), as slow as the script.
    fn eval_ro<R: FromReply>(
        self,
        script: impl ToArg,
        keys: impl IntoIterator<Item = impl ToArg>,
        args: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<R> {
        self.execute(Command::read("EVAL_RO").arg(script).keys_and_args(keys, args))
    }

    /// Runs a script that the server has, by its SHA-1; the error's code is `NOSCRIPT` when it has not,
    /// for which [`run_script`](Self::run_script) has an answer.
    /// [EVALSHA](https://redis.io/docs/latest/commands/evalsha/), as slow as the script.
    fn evalsha<R: FromReply>(
        self,
        sha1: impl ToArg,
        keys: impl IntoIterator<Item = impl ToArg>,
        args: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<R> {
        self.execute(Command::write("EVALSHA").arg(sha1).keys_and_args(keys, args))
    }

    /// As [`evalsha`](Self::evalsha), for a script that changes nothing.
    /// [EVALSHA_RO](https://redis.io/docs/latest/commands/evalsha_ro/), as slow as the script.
    fn evalsha_ro<R: FromReply>(
        self,
        sha1: impl ToArg,
        keys: impl IntoIterator<Item = impl ToArg>,
        args: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<R> {
        self.execute(Command::read("EVALSHA_RO").arg(sha1).keys_and_args(keys, args))
    }

    /// Runs a [`Script`], whether the server knows it already or not.
    /// [EVALSHA](https://redis.io/docs/latest/commands/evalsha/), as slow as the script.
    fn run_script<R: FromReply>(
        self,
        script: &Script,
        keys: impl IntoIterator<Item = impl ToArg>,
        args: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<R> {
        self.execute(Command::script(script).keys_and_args(keys, args))
    }

    /// Whether the server has each of these scripts, by their SHA-1.
    /// [SCRIPT EXISTS](https://redis.io/docs/latest/commands/script-exists/), O(n) in the scripts.
    fn script_exists(self, sha1s: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<bool>> {
        self.execute(Command::read("SCRIPT").arg("EXISTS").one_or_more("SHA-1", sha1s))
    }

    /// Lets the server forget all scripts. [SCRIPT FLUSH](https://redis.io/docs/latest/commands/script-flush/), O(n) in
    /// the scripts.
    fn script_flush(self, mode: FlushMode) -> Self::Out<()> {
        self.execute(Command::idempotent_write("SCRIPT").arg("FLUSH").arg(mode.word()))
    }

    /// Stops the script that is running, if it has written nothing yet.
    /// [SCRIPT KILL](https://redis.io/docs/latest/commands/script-kill/), O(1).
    fn script_kill(self) -> Self::Out<()> {
        self.execute(Command::write("SCRIPT").arg("KILL"))
    }

    /// Gives the server a script, and its SHA-1 to run it by.
    /// [SCRIPT LOAD](https://redis.io/docs/latest/commands/script-load/), O(n) in the script's length.
    fn script_load(self, script: impl ToArg) -> Self::Out<String> {
        self.execute(Command::idempotent_write("SCRIPT").arg("LOAD").arg(script))
    }
}

impl<E: Executor> ScriptingCommands for E {}

impl<R> Command<R> {
    pub(super) fn keys_and_args(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        args: impl IntoIterator<Item = impl ToArg>,
    ) -> Self {
        let keys: Vec<_> = keys.into_iter().collect();
        self.arg(keys.len()).args_of(keys).args_of(args)
    }
}

/// Whether the caller waits for what is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlushMode {
    /// It is removed in the background.
    Async,
    /// It is removed when the reply comes.
    Sync,
}

impl FlushMode {
    pub(super) fn word(self) -> &'static str {
        match self {
            FlushMode::Async => "ASYNC",
            FlushMode::Sync => "SYNC",
        }
    }
}
