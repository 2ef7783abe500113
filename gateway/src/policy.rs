//! What the API does not let through: commands that block or belong to a connection, and writes by the read-only token.

use std::collections::HashMap;

use redis::Value;

use crate::backend::{Args, Backend};
use crate::error::Error;

/// Commands that are about the connection, of which REST has none, or have an endpoint of their own.
const CONNECTION_BOUND: [&str; 17] = [
    "AUTH",
    "CLIENT",
    "DISCARD",
    "EXEC",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "READWRITE",
    "RESET",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WATCH",
];

/// Commands that the service does not have: those that block, and those that would end or move the server.
const UNAVAILABLE: [&str; 24] = [
    "ASKING",
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "CLUSTER",
    "DEBUG",
    "FAILOVER",
    "MIGRATE",
    "MODULE",
    "MOVE",
    "PSYNC",
    "REPLCONF",
    "REPLICAOF",
    "SHUTDOWN",
    "SLAVEOF",
    "SSUBSCRIBE",
    "SUNSUBSCRIBE",
    "SWAPDB",
    "SYNC",
];

/// What to do with a command.
pub(crate) enum Verdict {
    /// Send it to Redis.
    Run,
    /// Answer it with OK.
    Ok,
    /// Answer it with this error.
    Refuse(String),
}

fn unavailable(name: &str) -> Verdict {
    Verdict::Refuse(format!(
        "ERR Command is not available: '{name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"
    ))
}

/// Judges a command, for whoever may write.
fn judge(args: &Args) -> Verdict {
    let Some(name) = args.first() else { return Verdict::Refuse("ERR empty command".to_owned()) };
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    if CONNECTION_BOUND.contains(&name.as_str()) {
        return Verdict::Refuse(format!(
            "ERR Command \"{name}\" is not allowed in REST or it has a special context path"
        ));
    }
    if UNAVAILABLE.contains(&name.as_str()) {
        return unavailable(&name);
    }
    match name.as_str() {
        "SCRIPT" if args.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"DEBUG")) => unavailable("SCRIPT DEBUG"),
        "SELECT" if args.get(1).is_some_and(|database| database == b"0") => Verdict::Ok,
        "SELECT" => Verdict::Refuse("ERR DB index is out of range".to_owned()),
        "XREAD" | "XREADGROUP" if blocks(args) => {
            Verdict::Refuse(format!("ERR {name} with BLOCK is not available over REST"))
        }
        _ => Verdict::Run,
    }
}

/// Whether BLOCK stands among the options: not behind STREAMS, where it would be a key, nor behind GROUP, where it
/// would be a name.
fn blocks(args: &Args) -> bool {
    let mut options = args.iter().skip(1);
    while let Some(option) = options.next() {
        if option.eq_ignore_ascii_case(b"STREAMS") {
            return false;
        }
        if option.eq_ignore_ascii_case(b"BLOCK") {
            return true;
        }
        if option.eq_ignore_ascii_case(b"GROUP") {
            options.nth(1);
        }
    }
    false
}

/// Whether a command may wait for others, so that it needs a connection of its own.
pub(crate) fn waits(args: &Args) -> bool {
    args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"WAIT") || name.eq_ignore_ascii_case(b"WAITAOF"))
}

/// The commands that Redis has, and whether the read-only token may use them: those that Redis itself puts into the
/// categories of its documented equivalent, `+@read -@dangerous`, and PING and ECHO.
#[derive(Debug)]
pub(crate) struct Policy {
    reads: HashMap<String, bool>,
}

impl Policy {
    /// Asks Redis for its commands.
    pub(crate) async fn learn(backend: &Backend) -> Result<Self, Error> {
        let reply = backend.run(&[vec![b"COMMAND".to_vec()]]).await.map_err(|error| Error::new(error.to_string()))?;
        let mut reads = HashMap::new();
        for command in reply.iter().flat_map(items) {
            learn_command(command, &mut reads);
        }
        reads.extend(["ping", "echo"].map(|name| (name.to_owned(), true)));
        Ok(Policy { reads })
    }

    /// What to do with a command, given what its token allows.
    pub(crate) fn judge(&self, args: &Args, may_write: bool) -> Verdict {
        let verdict = judge(args);
        let word = |at: usize| args.get(at).map(|arg| String::from_utf8_lossy(arg).to_ascii_lowercase());
        let (Verdict::Run, Some(name)) = (&verdict, word(0)) else { return verdict };
        let Some(&reads) = self.reads.get(&name) else { return unavailable(&name.to_ascii_uppercase()) };
        let subcommand = word(1).and_then(|word| self.reads.get(&format!("{name}|{word}")).copied());
        if may_write || subcommand.unwrap_or(reads) {
            return Verdict::Run;
        }
        Verdict::Refuse(format!("NOPERM this user has no permissions to run the '{name}' command or its subcommand"))
    }
}

/// An entry of COMMAND's reply: its name first, its ACL categories seventh, its subcommands tenth.
fn learn_command(command: &Value, allowed: &mut HashMap<String, bool>) {
    let parts: Vec<&Value> = items(command).collect();
    let Some(name) = parts.first().and_then(|name| text(name)) else { return };
    let categories: Vec<&str> = parts.get(6).into_iter().flat_map(|value| items(value)).filter_map(text).collect();
    let reads = categories.contains(&"@read") && !categories.contains(&"@dangerous");
    allowed.insert(name.to_ascii_lowercase(), reads);
    for subcommand in parts.get(9).into_iter().flat_map(|value| items(value)) {
        learn_command(subcommand, allowed);
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) | Value::Set(items) => items.iter(),
        _ => [].iter(),
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::SimpleString(text) => Some(text),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> Option<String> {
        match judge(&line.split(' ').map(|arg| arg.as_bytes().to_vec()).collect()) {
            Verdict::Refuse(why) => Some(why),
            Verdict::Run | Verdict::Ok => None,
        }
    }

    #[test]
    fn commands_that_block_or_belong_to_a_connection_are_refused() {
        for line in [
            "blpop k 0",
            "WATCH k",
            "subscribe c",
            "SELECT 1",
            "XREAD COUNT 1 BLOCK 0 STREAMS s $",
            "XREADGROUP GROUP STREAMS c BLOCK 0 STREAMS s >",
            "script debug yes",
            "SHUTDOWN",
        ] {
            assert!(refusal(line).is_some(), "{line}");
        }
        for line in [
            "GET k",
            "SELECT 0",
            "XREAD COUNT 1 STREAMS BLOCK 0",
            "XREADGROUP GROUP g block STREAMS s >",
            "CONFIG GET *",
        ] {
            assert_eq!(refusal(line), None, "{line}");
        }
    }
}
