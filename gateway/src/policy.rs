//! Which commands the API allows. It refuses commands that block or need a connection of their own, and writes with the
//! read-only token.

use std::collections::HashMap;

use bytes::Bytes;

use crate::backend::Backend;
use crate::error::Error;
use crate::resp::{Args, Value};

/// Commands that change the state of a connection, which REST does not have, or that have an endpoint of their own.
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

/// Commands that the service does not offer: they block, or they stop, move or replicate the server.
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

/// How to answer a command.
pub(crate) enum Verdict {
    /// Let Redis run it.
    Run,
    /// Reply OK.
    Ok,
    /// Reply with this error.
    Refuse(String),
}

fn unavailable(name: &str) -> Verdict {
    Verdict::Refuse(format!(
        "ERR Command is not available: '{name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"
    ))
}

/// What the name of a command determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A command of the server. `reads` is whether the read-only token allows it.
    Known {
        reads: bool,
    },
    ConnectionBound,
    Unavailable,
}

/// Returns whether an XREAD or XREADGROUP has the option BLOCK.
///
/// BLOCK is not an option after STREAMS, where it is a key, or after GROUP, where it is a name.
fn has_block_option(args: &Args) -> bool {
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

/// Decides which commands are allowed.
///
/// The read-only token allows the commands that the ACL rules `+@read -@dangerous` allow, which the service documents as
/// its equivalent, and PING and ECHO.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The commands by their names in lower case. Subcommands are named as in `config|get`.
    kinds: HashMap<Vec<u8>, Kind>,
}

impl Policy {
    /// Builds the policy from the commands that Redis reports.
    pub(crate) async fn load(backend: &Backend) -> Result<Self, Error> {
        let reply = backend
            .run(&[vec![Bytes::from_static(b"COMMAND")]])
            .await
            .map_err(|error| Error::new(error.to_string()))?;
        match reply.first() {
            Some(commands @ Value::Array(_)) => Ok(Policy::from_commands(commands.items().iter())),
            Some(Value::Error(error)) => Err(Error::new(format!(
                "Redis refused to list its commands (COMMAND): {}",
                String::from_utf8_lossy(error)
            ))),
            _ => Err(Error::new(
                "the server's reply to COMMAND is not that of Redis: check that the URL names a Redis server",
            )),
        }
    }

    /// Builds the policy from the entries of COMMAND's reply.
    fn from_commands<'a>(commands: impl Iterator<Item = &'a Value>) -> Self {
        let mut kinds = HashMap::new();
        for command in commands {
            add_command(command, &mut kinds);
        }
        kinds.extend([b"ping", b"echo"].map(|name| (name.to_vec(), Kind::Known { reads: true })));
        kinds.extend(CONNECTION_BOUND.map(|name| (lower(name.as_bytes()), Kind::ConnectionBound)));
        kinds.extend(UNAVAILABLE.map(|name| (lower(name.as_bytes()), Kind::Unavailable)));
        Policy { kinds }
    }

    /// Decides how to answer a command. `may_write` is whether the token allows all commands.
    pub(crate) fn judge(&self, args: &Args, may_write: bool) -> Verdict {
        let Some(name) = args.first() else { return Verdict::Refuse("ERR empty command".to_owned()) };
        let name = lower(name);
        let upper = || String::from_utf8_lossy(&name).to_ascii_uppercase();
        let reads = match self.kinds.get(&name) {
            Some(Kind::Known { reads }) => *reads,
            Some(Kind::ConnectionBound) => {
                let name = upper();
                return Verdict::Refuse(format!(
                    "ERR Command \"{name}\" is not allowed in REST or it has a special context path"
                ));
            }
            Some(Kind::Unavailable) | None => return unavailable(&upper()),
        };
        let first = args.get(1);
        match name.as_slice() {
            b"script" if first.is_some_and(|word| word.eq_ignore_ascii_case(b"DEBUG")) => {
                return unavailable("SCRIPT DEBUG");
            }
            b"select" if first.is_some_and(|database| database == "0") => return Verdict::Ok,
            b"select" => return Verdict::Refuse("ERR DB index is out of range".to_owned()),
            b"xread" | b"xreadgroup" if has_block_option(args) => {
                return Verdict::Refuse(format!("ERR {} with BLOCK is not available over REST", upper()));
            }
            _ => {}
        }
        if may_write || self.subcommand_reads(&name, first).unwrap_or(reads) {
            return Verdict::Run;
        }
        let name = String::from_utf8_lossy(&name);
        Verdict::Refuse(format!("NOPERM this user has no permissions to run the '{name}' command or its subcommand"))
    }

    /// Returns whether a subcommand reads, or `None` if the command has no such subcommand.
    fn subcommand_reads(&self, name: &[u8], word: Option<&Bytes>) -> Option<bool> {
        match self.kinds.get(&[name, b"|", &lower(word?)].concat())? {
            Kind::Known { reads } => Some(*reads),
            Kind::ConnectionBound | Kind::Unavailable => None,
        }
    }
}

fn lower(name: &[u8]) -> Vec<u8> {
    name.to_ascii_lowercase()
}

/// Adds an entry of COMMAND's reply: element 0 is the name, 6 the ACL categories, 9 the subcommands.
fn add_command(command: &Value, kinds: &mut HashMap<Vec<u8>, Kind>) {
    let parts = command.items();
    let Some(name) = parts.first().and_then(Value::text) else { return };
    let categories: Vec<&str> = parts.get(6).into_iter().flat_map(Value::items).filter_map(Value::text).collect();
    let reads = categories.contains(&"@read") && !categories.contains(&"@dangerous");
    kinds.insert(lower(name.as_bytes()), Kind::Known { reads });
    for subcommand in parts.get(9).into_iter().flat_map(Value::items) {
        add_command(subcommand, kinds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> Option<String> {
        let command = |name: &'static str| Value::Array(vec![Value::Bulk(name.as_bytes().into())].into());
        let known = ["get", "select", "script", "xread", "xreadgroup", "config"].map(command);
        let policy = Policy::from_commands(known.iter());
        match policy.judge(&line.split(' ').map(|arg| arg.as_bytes().to_vec().into()).collect(), true) {
            Verdict::Refuse(text) => Some(text),
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
