//! Lua scripts as values: sent by their SHA-1 where that saves bytes, and whole where the server may not know them.

use std::fmt;
use std::sync::Arc;

use crate::command::{Command, Safety};
use crate::wire::request::push_text;

/// A Lua script, to be run by [`run_script`](crate::ScriptingCommands::run_script) on any executor.
///
/// On its own it is sent as `EVALSHA`, and once more as `EVAL` where the server does not know it yet: that costs a round
/// trip once, and saves the script's bytes from then on. In a pipeline, a transaction or a batch, where the commands
/// behind it must not run before it, its first call is an `EVAL` at once, and further ones are `EVALSHA`s.
///
/// ```
/// use std::sync::LazyLock;
/// use redis_rest::{Build, Script, ScriptingCommands};
///
/// static ADD: LazyLock<Script> = LazyLock::new(|| Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])"));
///
/// let args = Build.run_script::<i64>(&ADD, ["hits"], [5]).args();
/// assert_eq!(args, ["EVALSHA", ADD.sha1(), "1", "hits", "5"]);
/// ```
#[derive(Clone)]
pub struct Script {
    code: Arc<str>,
    /// The text as a JSON string, as it travels.
    json: Arc<[u8]>,
    sha1: Arc<str>,
    safety: Safety,
}

impl Script {
    /// A script that must not be executed twice: it is retried only if it provably was not executed.
    #[must_use]
    pub fn new(code: impl Into<Arc<str>>) -> Self {
        let code = code.into();
        let sha1 = sha1_smol::Sha1::from(&*code).digest().to_string().into();
        let mut json = Vec::with_capacity(code.len() + 2);
        push_text(&mut json, &code);
        Script { code, json: json.into(), sha1, safety: Safety::Once }
    }

    /// Declares that the script changes nothing. It is run by `EVALSHA_RO`, which holds it to that, and is retried
    /// whatever happened to it.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.safety = Safety::Read;
        self
    }

    /// Declares that the script, executed twice in a row, leaves the same data and gives the same reply. It is then
    /// retried whatever happened to it.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.safety = Safety::Idempotent;
        self
    }

    /// The script's text.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The SHA-1 of the text in 40 hexadecimal digits, by which servers know the script.
    #[must_use]
    pub fn sha1(&self) -> &str {
        &self.sha1
    }

    /// The command that runs it, up to its keys.
    pub(crate) fn command(&self) -> Command<()> {
        let (by_sha1, whole) = match self.safety {
            Safety::Read => ("EVALSHA_RO", "EVAL_RO"),
            Safety::Idempotent | Safety::Once => ("EVALSHA", "EVAL"),
        };
        let mut command = Command::new(by_sha1.into(), self.safety).arg(&*self.sha1);
        command.args.set_script(whole, self.clone());
        command
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("sha1", &self.sha1).finish_non_exhaustive()
    }
}

/// A script that a command names by its SHA-1, and how to put it in whole.
#[derive(Debug, Clone)]
pub(crate) struct BySha1 {
    /// The command that takes it whole.
    pub(crate) name: &'static str,
    pub(crate) script: Script,
    /// How many bytes the command's name and the SHA-1 take, from the opening bracket on.
    pub(crate) prefix: usize,
}

impl BySha1 {
    /// The encoded command with the script in whole.
    pub(crate) fn inline(&self, json: &[u8]) -> Vec<u8> {
        let behind = json.get(self.prefix..).unwrap_or_default();
        let mut whole = Vec::with_capacity(behind.len() + self.extra_bytes());
        whole.push(b'[');
        push_text(&mut whole, self.name);
        whole.push(b',');
        whole.extend_from_slice(&self.script.json);
        whole.extend_from_slice(behind);
        whole
    }

    /// How much longer that is, at most.
    pub(crate) fn extra_bytes(&self) -> usize {
        self.script.json.len() + "[\"EVAL_RO\",".len()
    }
}
