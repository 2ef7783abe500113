//! Functions: libraries of Lua that the server keeps.

use std::time::Duration;

use super::info::Info;
use super::scripting::FlushMode;
use crate::arg::ToArg;
use crate::command::Command;
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on functions. The keys that a function touches are to be declared; its other arguments come after them.
///
/// A call counts as a write that must not be executed twice; [`fcall_ro`](Self::fcall_ro) is retried whatever happened.
///
/// ```
/// use redis_rest::{Build, FunctionCommands};
///
/// assert_eq!(Build.fcall::<i64>("add", ["hits"], [5]).args(), ["FCALL", "add", "1", "hits", "5"]);
/// ```
pub trait FunctionCommands: Executor {
    /// Calls a function. [FCALL](https://redis.io/docs/latest/commands/fcall/), as slow as the function.
    fn fcall<R: FromReply>(
        self,
        function: impl ToArg,
        keys: impl IntoIterator<Item = impl ToArg>,
        args: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<R> {
        self.execute(Command::write("FCALL").arg(function).keys_and_args(keys, args))
    }

    /// Calls a function that changes nothing. [FCALL_RO](https://redis.io/docs/latest/commands/fcall_ro/), as slow as the
    /// function.
    fn fcall_ro<R: FromReply>(
        self,
        function: impl ToArg,
        keys: impl IntoIterator<Item = impl ToArg>,
        args: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<R> {
        self.execute(Command::read("FCALL_RO").arg(function).keys_and_args(keys, args))
    }

    /// Removes a library. [FUNCTION DELETE](https://redis.io/docs/latest/commands/function-delete/), O(1).
    fn function_delete(self, library: impl ToArg) -> Self::Out<()> {
        self.execute(Command::write("FUNCTION").arg("DELETE").arg(library))
    }

    /// Removes all libraries. [FUNCTION FLUSH](https://redis.io/docs/latest/commands/function-flush/), O(n) in the functions.
    fn function_flush(self, mode: FlushMode) -> Self::Out<()> {
        self.execute(Command::idempotent_write("FUNCTION").arg("FLUSH").arg(mode.word()))
    }

    /// Stops the function that is running, if it has written nothing yet.
    /// [FUNCTION KILL](https://redis.io/docs/latest/commands/function-kill/), O(1).
    fn function_kill(self) -> Self::Out<()> {
        self.execute(Command::write("FUNCTION").arg("KILL"))
    }

    /// The libraries, all or those whose name matches a glob-style pattern, with their code if asked for.
    /// [FUNCTION LIST](https://redis.io/docs/latest/commands/function-list/), O(n) in the functions.
    fn function_list(self, pattern: Option<&str>) -> Self::Out<Vec<Library>> {
        self.execute(Command::read("FUNCTION").arg("LIST").library_name(pattern))
    }

    /// x
    fn function_list_withcode(self, pattern: Option<&str>) -> Self::Out<Vec<Library>> {
        self.execute(Command::read("FUNCTION").arg("LIST").library_name(pattern).arg("WITHCODE"))
    }

    /// Adds a library, and gives its name; with `replace` in place of one of the same name.
    /// [FUNCTION LOAD](https://redis.io/docs/latest/commands/function-load/), O(n) in the code's length.
    fn function_load(self, code: impl ToArg) -> Self::Out<String> {
        self.execute(Command::write("FUNCTION").arg("LOAD").arg(code))
    }

    /// x
    fn function_load_replace(self, code: impl ToArg) -> Self::Out<String> {
        self.execute(Command::write("FUNCTION").arg("LOAD").arg("REPLACE").arg(code))
    }

    /// What is running, and how much there is. [FUNCTION STATS](https://redis.io/docs/latest/commands/function-stats/), O(1).
    fn function_stats(self) -> Self::Out<FunctionStats> {
        self.execute(Command::read("FUNCTION").arg("STATS"))
    }
}

impl<E: Executor> FunctionCommands for E {}

impl<R> Command<R> {
    fn library_name(self, pattern: Option<&str>) -> Self {
        match pattern {
            Some(pattern) => self.arg("LIBRARYNAME").arg(pattern),
            None => self,
        }
    }
}

/// A library of functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Its name.
    pub name: String,
    /// What runs it: `LUA`.
    pub engine: String,
    /// Its functions.
    pub functions: Vec<Function>,
    /// Its code, if it was asked for.
    pub code: Option<String>,
}

impl FromReply for Library {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(Library {
            name: info.get("library_name")?,
            engine: info.get("engine")?,
            functions: info.get("functions")?,
            code: info.get_optional("library_code")?,
        })
    }
}

/// A function of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// Its flags: `no-writes`.
    pub flags: Vec<String>,
}

impl FromReply for Function {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(Function { name: info.get("name")?, description: info.get("description")?, flags: info.get("flags")? })
    }
}

/// What is running, and how much there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionStats {
    /// The function that is running.
    pub running: Option<RunningFunction>,
    /// The engines.
    pub engines: Vec<EngineStats>,
}

impl FromReply for FunctionStats {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        let engines: Vec<(String, Counts)> = info.get("engines")?;
        let engines =
            engines.into_iter().map(|(name, Counts(libraries, functions))| EngineStats { name, libraries, functions });
        Ok(FunctionStats { running: info.get("running_script")?, engines: engines.collect() })
    }
}

/// An engine, and how much it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineStats {
    /// Its name: `LUA`.
    pub name: String,
    /// How many libraries.
    pub libraries: u64,
    /// How many functions.
    pub functions: u64,
}

/// Of libraries and of functions.
struct Counts(u64, u64);

impl FromReply for Counts {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(Counts(info.get("libraries_count")?, info.get("functions_count")?))
    }
}

/// A function that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningFunction {
    /// Its name.
    pub name: String,
    /// The call, argument by argument.
    pub command: Vec<String>,
    /// For how long.
    pub duration: Duration,
}

impl FromReply for RunningFunction {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        let millis = info.get("duration_ms")?;
        Ok(RunningFunction {
            name: info.get("name")?,
            command: info.get("command")?,
            duration: Duration::from_millis(millis),
        })
    }
}
