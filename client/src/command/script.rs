//! Lua scripts as values: sent by their SHA-1 where that saves bytes, and in full where the server may not know them.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use super::Command;
use super::args::Args;
use super::idempotency::Idempotency;
use super::learned::Dialect;
use super::one_or_more::OneOrMore;
use crate::arg::ToArg;
use crate::wire::request::push_text;

/// A Lua script that [`run_script`](crate::ScriptingCommands::run_script) runs on any executor.
///
/// A script on its own is sent as `EVALSHA`. If the server does not know it yet, the client sends it once more as `EVAL`:
/// one extra round trip, and every later call saves the bytes of the script. In a pipeline, a transaction or a batch,
/// later commands must not run before the script, so its first call is an `EVAL`, and later calls are `EVALSHA`s.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::sync::LazyLock;
/// use redis_rest::{Script, ScriptingCommands};
///
/// /// Increments a counter unless it has reached its limit.
/// static INCREMENT_UP_TO: LazyLock<Script> = LazyLock::new(|| {
///     Script::new(
///         "local count = tonumber(redis.call('GET', KEYS[1]) or '0')
///          if count < tonumber(ARGV[1]) then return redis.call('INCR', KEYS[1]) end
///          return false",
///     )
/// });
///
/// let first: Option<i64> = redis.run_script(INCREMENT_UP_TO.key("seats").arg(1)).await?;
/// let second: Option<i64> = redis.run_script(INCREMENT_UP_TO.key("seats").arg(1)).await?;
/// assert_eq!((first, second), (Some(1), None));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Script {
    code: Arc<str>,
    plain: Arc<Text>,
    /// With the line that asks the service to lock the declared keys only.
    locking: Option<Arc<Text>>,
    idempotency: Idempotency,
}

/// One text of a script, in the two forms in which it is sent.
pub(super) struct Text {
    /// The code as a JSON string.
    pub(super) json: Vec<u8>,
    pub(super) sha1: String,
}

impl Text {
    fn new(code: &str) -> Arc<Self> {
        let mut json = Vec::with_capacity(code.len() + code.len() / 16 + 2);
        push_text(&mut json, code);
        Arc::new(Text { json, sha1: sha1_smol::Sha1::from(code).digest().to_string() })
    }
}

impl Script {
    /// Creates a script. The client retries it only if it was certainly not executed.
    #[must_use]
    pub fn new(code: impl Into<Arc<str>>) -> Self {
        let code = code.into();
        Script { plain: Text::new(&code), locking: None, code, idempotency: Idempotency::NonIdempotent }
    }

    /// Declares that the script touches no keys but those that it is called with (`KEYS`). The service then locks these keys
    /// alone, instead of the whole database, while it runs.
    ///
    /// The first line `#!lua flags=allow-key-locking` asks for that. Open-source servers refuse that line: the client then
    /// sends the script without it, and remembers that for its connection. The first call costs up to two round trips more
    /// there. In pipelines and batches, the line is sent once a call on its own has shown that the server takes it. In
    /// transactions it is never sent, because they lock the database anyway.
    #[must_use]
    pub fn key_locking(mut self) -> Self {
        let flags = if self.idempotency.writes() { "allow-key-locking" } else { "no-writes,allow-key-locking" };
        self.locking = Some(Text::new(&format!("#!lua flags={flags}\n{}", self.code)));
        self
    }

    /// Declares that the script changes nothing. The client runs it with `EVALSHA_RO`, which refuses writes, and retries
    /// it after any failure that can pass.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.idempotency = Idempotency::ReadOnly;
        // With flags, EVALSHA_RO asks for the one that says so.
        if self.locking.is_some() { self.key_locking() } else { self }
    }

    /// Declares that running the script twice in a row leaves the same data, and returns the same reply, as running it once.
    /// The client retries it after any failure that can pass.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotency = Idempotency::Idempotent;
        self
    }

    /// The Lua code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The SHA-1 of the code in 40 hexadecimal digits, by which servers know the script.
    #[must_use]
    pub fn sha1(&self) -> &str {
        &self.plain.sha1
    }

    /// Starts a call of the script with one key.
    pub fn key(&self, key: impl ToArg) -> ScriptCall {
        ScriptCall::new(self).key(key)
    }

    /// Starts a call of the script with keys.
    pub fn keys<K>(&self, keys: impl OneOrMore<K>) -> ScriptCall {
        ScriptCall::new(self).keys(keys)
    }

    /// Starts a call of the script with one argument, and without keys.
    pub fn arg(&self, arg: impl ToArg) -> ScriptCall {
        ScriptCall::new(self).arg(arg)
    }

    /// Starts a call of the script with arguments, and without keys.
    pub fn args<K>(&self, args: impl OneOrMore<K>) -> ScriptCall {
        ScriptCall::new(self).args(args)
    }

    pub(super) fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// Whether there is a text in the locking dialect.
    pub(crate) fn can_lock_keys(&self) -> bool {
        self.locking.is_some()
    }

    /// The text in this dialect, or the only one.
    pub(super) fn text(&self, dialect: Dialect) -> &Text {
        match (&self.locking, dialect) {
            (Some(locking), Dialect::Locking) => locking,
            _ => &self.plain,
        }
    }
}

/// A [`Script`] with its keys and arguments, for [`run_script`](crate::ScriptingCommands::run_script).
///
/// [`Script::key`] and its like start one. A reference to a script is a call without keys and arguments.
#[derive(Clone)]
#[must_use = "a script runs when the call is passed to `run_script`"]
pub struct ScriptCall {
    script: Script,
    keys: Args,
    args: Args,
    once: Option<Cow<'static, str>>,
}

impl ScriptCall {
    fn new(script: &Script) -> Self {
        ScriptCall { script: script.clone(), keys: Args::fragment(), args: Args::fragment(), once: None }
    }

    /// Adds a key: the next of `KEYS`.
    pub fn key(mut self, key: impl ToArg) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds keys.
    pub fn keys<K>(mut self, keys: impl OneOrMore<K>) -> Self {
        self.keys.extend(keys.items());
        self
    }

    /// Adds an argument: the next of `ARGV`.
    pub fn arg(mut self, arg: impl ToArg) -> Self {
        self.args.push(arg);
        self
    }

    /// Adds arguments.
    pub fn args<K>(mut self, args: impl OneOrMore<K>) -> Self {
        self.args.extend(args.items());
        self
    }

    /// Gives the script a *once slot*: `ARGV[1]` is the time in milliseconds for which it keeps its outcome under
    /// `KEYS[1]`, and before it does anything, it returns the outcome that it finds there. Its other keys and arguments
    /// follow these.
    ///
    /// The client fills the slot of a command on its own, if it may retry it: with the key `PREFIX::once:NONCE`, whose
    /// nonce is random, and twice the deadline of the call. Every attempt then has the same nonce, so the client repeats the
    /// command even if an earlier attempt may have executed it. Otherwise the slot is empty: `ARGV[1]` is `0`, and `KEYS` begins with
    /// the script's own keys.
    #[doc(hidden)]
    pub fn once_under(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.once = Some(prefix.into());
        self
    }

    /// Returns the command that runs the script, for a reply with a decoder of its own:
    /// [`decode_with`](Command::decode_with).
    pub fn command(self) -> Command {
        Command::script(self)
    }

    /// Adds the number of a command's arguments, and these.
    pub(super) fn command_args(mut self, command: Args) -> Self {
        self.args.push(command.count());
        self.args.append(command.into_fragment());
        self
    }

    pub(super) fn script(&self) -> &Script {
        &self.script
    }

    pub(super) fn into_parts(self) -> (Script, Args, Args, Option<Cow<'static, str>>) {
        (self.script, self.keys, self.args, self.once)
    }
}

impl From<&Script> for ScriptCall {
    fn from(script: &Script) -> Self {
        ScriptCall::new(script)
    }
}

impl From<&LazyLock<Script>> for ScriptCall {
    fn from(script: &LazyLock<Script>) -> Self {
        ScriptCall::new(script)
    }
}

impl fmt::Debug for ScriptCall {
    /// Shows the script only, because an argument may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptCall").field("script", &self.script).finish_non_exhaustive()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("sha1", &self.sha1()).finish_non_exhaustive()
    }
}
