//! Functions: libraries of Lua code that the server stores.

use std::time::Duration;

use super::flush::FlushMode;
use super::info::Info;
use crate::arg::ToArg;
use crate::command::{Command, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// Commands on functions. Pass the keys that a function uses as its `keys`, and all else as its `args`.
///
/// A client retries [`fcall`](Self::fcall) only if it was certainly not executed, and [`fcall_ro`](Self::fcall_ro)
/// after any failure that can pass.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::FunctionCommands;
///
/// let library = "#!lua name=counting
/// redis.register_function('add', function(keys, args) return redis.call('INCRBY', keys[1], args[1]) end)";
///
/// assert_eq!(redis.function_load_replace(library).await?, "counting");
/// let hits: i64 = redis.fcall("add", ["hits"], [5]).await?;
/// assert_eq!(hits, 5);
///
/// let libraries = redis.function_list(Some("count*")).await?;
/// assert_eq!(libraries[0].functions[0].name, "add");
///
/// // The library exists now, and `function_load` does not replace it.
/// assert!(redis.function_load(library).await.is_err());
/// # Ok(())
/// # }
/// ```
pub trait FunctionCommands: Executor {
    /// Calls a function and returns its result. [FCALL](https://redis.io/docs/latest/commands/fcall/), the complexity
    /// of the function.
    fn fcall<R: FromReply>(self, function: impl ToArg, keys: impl ToArgs, args: impl ToArgs) -> Self::Out<R> {
        self.execute(Command::write("FCALL").arg(function).keys_and_args(keys, args))
    }

    /// Calls a function that changes nothing and returns its result.
    /// [FCALL_RO](https://redis.io/docs/latest/commands/fcall_ro/), the complexity of the function.
    fn fcall_ro<R: FromReply>(self, function: impl ToArg, keys: impl ToArgs, args: impl ToArgs) -> Self::Out<R> {
        self.execute(Command::read("FCALL_RO").arg(function).keys_and_args(keys, args))
    }

    /// Removes a library. [FUNCTION DELETE](https://redis.io/docs/latest/commands/function-delete/), O(1).
    fn function_delete(self, library: impl ToArg) -> Self::Out<()> {
        self.execute(Command::write("FUNCTION").arg("DELETE").arg(library))
    }

    /// Removes all libraries. [FUNCTION FLUSH](https://redis.io/docs/latest/commands/function-flush/), O(n) in the
    /// functions.
    fn function_flush(self) -> Self::Out<()> {
        self.execute(Command::idempotent_write("FUNCTION").arg("FLUSH"))
    }

    /// As [`function_flush`](Self::function_flush), in the background or not.
    fn function_flush_with(self, mode: FlushMode) -> Self::Out<()> {
        self.execute(Command::idempotent_write("FUNCTION").arg("FLUSH").arg(mode.word()))
    }

    /// Stops the running function, unless it has written already.
    /// [FUNCTION KILL](https://redis.io/docs/latest/commands/function-kill/), O(1).
    fn function_kill(self) -> Self::Out<()> {
        self.execute(Command::write("FUNCTION").arg("KILL"))
    }

    /// Returns the libraries, all of them or those whose name matches a glob-style pattern, without their code.
    /// [FUNCTION LIST](https://redis.io/docs/latest/commands/function-list/), O(n) in the functions.
    fn function_list(self, pattern: Option<&str>) -> Self::Out<Vec<Library>> {
        self.execute(Command::read("FUNCTION").arg("LIST").library_name(pattern))
    }

    /// As [`function_list`](Self::function_list), with the code of each library.
    fn function_list_withcode(self, pattern: Option<&str>) -> Self::Out<Vec<Library>> {
        self.execute(Command::read("FUNCTION").arg("LIST").library_name(pattern).arg("WITHCODE"))
    }

    /// Adds a library and returns its name. Fails if a library of that name exists.
    /// [FUNCTION LOAD](https://redis.io/docs/latest/commands/function-load/), O(n) in the code's length.
    fn function_load(self, code: impl ToArg) -> Self::Out<String> {
        self.execute(Command::write("FUNCTION").arg("LOAD").arg(code))
    }

    /// As [`function_load`](Self::function_load), but replaces a library of the same name.
    fn function_load_replace(self, code: impl ToArg) -> Self::Out<String> {
        self.execute(Command::write("FUNCTION").arg("LOAD").arg("REPLACE").arg(code))
    }

    /// Returns the running function, and the number of libraries and functions of each engine.
    /// [FUNCTION STATS](https://redis.io/docs/latest/commands/function-stats/), O(1).
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
#[non_exhaustive]
pub struct Library {
    /// The name.
    pub name: String,
    /// The engine that runs it: `LUA`.
    pub engine: String,
    /// The functions.
    pub functions: Vec<Function>,
    /// The code, if it was requested.
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
#[non_exhaustive]
pub struct Function {
    /// The name.
    pub name: String,
    /// The description that the library registered.
    pub description: Option<String>,
    /// The flags, such as `no-writes`.
    pub flags: Vec<String>,
}

impl FromReply for Function {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(Function { name: info.get("name")?, description: info.get("description")?, flags: info.get("flags")? })
    }
}

/// The running function, and the size of each engine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionStats {
    /// The running function, if there is one.
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

/// The size of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineStats {
    /// The name: `LUA`.
    pub name: String,
    /// The number of libraries.
    pub libraries: u64,
    /// The number of functions.
    pub functions: u64,
}

/// The numbers of libraries and of functions.
struct Counts(u64, u64);

impl FromReply for Counts {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(Counts(info.get("libraries_count")?, info.get("functions_count")?))
    }
}

/// A function that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunningFunction {
    /// The name.
    pub name: String,
    /// The call, one item per argument.
    pub command: Vec<String>,
    /// How long it has been running.
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
