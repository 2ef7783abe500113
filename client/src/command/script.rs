//! Lua scripts as values: sent by their SHA-1 where that saves bytes, and in full where the server may not know them.

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::args::Args;
use super::idempotency::Idempotency;
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
    /// The code as a JSON string, as it is sent.
    json: Arc<[u8]>,
    sha1: Arc<str>,
    idempotency: Idempotency,
}

impl Script {
    /// Creates a script. The client retries it only if it was certainly not executed.
    #[must_use]
    pub fn new(code: impl Into<Arc<str>>) -> Self {
        let code = code.into();
        let sha1 = sha1_smol::Sha1::from(&*code).digest().to_string().into();
        let mut json = Vec::with_capacity(code.len() + 2);
        push_text(&mut json, &code);
        Script { code, json: json.into(), sha1, idempotency: Idempotency::NonIdempotent }
    }

    /// Declares that the script changes nothing. The client runs it with `EVALSHA_RO`, which refuses writes, and retries
    /// it after any failure that can pass.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.idempotency = Idempotency::ReadOnly;
        self
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
        &self.sha1
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

    pub(crate) fn idempotency(&self) -> Idempotency {
        self.idempotency
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
}

impl ScriptCall {
    fn new(script: &Script) -> Self {
        ScriptCall { script: script.clone(), keys: Args::fragment(), args: Args::fragment() }
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

    pub(super) fn into_parts(self) -> (Script, Args, Args) {
        (self.script, self.keys, self.args)
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
        f.debug_struct("Script").field("sha1", &self.sha1).finish_non_exhaustive()
    }
}

/// A script that a command names by its SHA-1, and what it takes to send the script in full instead.
#[derive(Debug, Clone)]
pub(crate) struct BySha1 {
    pub(crate) script: Script,
    /// The length of the encoded command up to and including the SHA-1.
    prefix: usize,
}

impl BySha1 {
    pub(crate) fn new(script: Script, prefix: usize) -> Self {
        BySha1 { script, prefix }
    }

    /// The encoded command with the script in full.
    pub(crate) fn in_full(&self, json: &[u8]) -> Vec<u8> {
        let rest = json.get(self.prefix..).unwrap_or_default();
        let mut full = Vec::with_capacity(rest.len() + self.extra_bytes());
        full.push(b'[');
        push_text(&mut full, if self.script.idempotency.writes() { "EVAL" } else { "EVAL_RO" });
        full.push(b',');
        full.extend_from_slice(&self.script.json);
        full.extend_from_slice(rest);
        full
    }

    /// How many bytes longer that is, at most.
    pub(crate) fn extra_bytes(&self) -> usize {
        self.script.json.len() + "[\"EVAL_RO\",".len()
    }
}
