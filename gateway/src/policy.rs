//! What the API does not let through: commands that block or belong to a connection, and writes by the read-only token.

use std::collections::HashMap;

use bytes::Bytes;

use crate::backend::Backend;
use crate::error::Error;
use crate::resp::{Args, Value};

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

/// What there is to know of a command by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Redis has it; whether the read-only token may use it.
    Known {
        reads: bool,
    },
    ConnectionBound,
    Unavailable,
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

/// Which commands there are, by their names in lower case, a subcommand's as `config|get`. The read-only token may use
/// those that Redis itself puts into the categories of its documented equivalent, `+@read -@dangerous`, and PING and ECHO.
#[derive(Debug)]
pub(crate) struct Policy {
    kinds: HashMap<Vec<u8>, Kind>,
}

impl Policy {
    /// Asks Redis for its commands.
    pub(crate) async fn learn(backend: &Backend) -> Result<Self, Error> {
        let reply = backend
            .run(&[vec![Bytes::from_static(b"COMMAND")]])
            .await
            .map_err(|error| Error::new(error.to_string()))?;
        match reply.first() {
            Some(commands @ Value::Array(_)) => Ok(Policy::of(commands.items().iter())),
            Some(Value::Error(error)) => {
                Err(Error::new(format!("Redis does not say which commands it has: {}", String::from_utf8_lossy(error))))
            }
            _ => Err(Error::new("what listens there does not answer COMMAND as Redis does")),
        }
    }

    /// Of the entries of COMMAND's reply.
    fn of<'a>(commands: impl Iterator<Item = &'a Value>) -> Self {
        let mut kinds = HashMap::new();
        for command in commands {
            learn_command(command, &mut kinds);
        }
        kinds.extend([b"ping", b"echo"].map(|name| (name.to_vec(), Kind::Known { reads: true })));
        kinds.extend(CONNECTION_BOUND.map(|name| (lower(name.as_bytes()), Kind::ConnectionBound)));
        kinds.extend(UNAVAILABLE.map(|name| (lower(name.as_bytes()), Kind::Unavailable)));
        Policy { kinds }
    }

    /// What to do with a command, given what its token allows.
    pub(crate) fn judge(&self, args: &Args, may_write: bool) -> Verdict {
        let Some(name) = args.first() else { return Verdict::Refuse("ERR empty command".to_owned()) };
        let name = lower(name);
        let shown = || String::from_utf8_lossy(&name).to_ascii_uppercase();
        let reads = match self.kinds.get(&name) {
            Some(Kind::Known { reads }) => *reads,
            Some(Kind::ConnectionBound) => {
                let name = shown();
                return Verdict::Refuse(format!(
                    "ERR Command \"{name}\" is not allowed in REST or it has a special context path"
                ));
            }
            Some(Kind::Unavailable) | None => return unavailable(&shown()),
        };
        let first = args.get(1);
        match name.as_slice() {
            b"script" if first.is_some_and(|word| word.eq_ignore_ascii_case(b"DEBUG")) => {
                return unavailable("SCRIPT DEBUG");
            }
            b"select" if first.is_some_and(|database| database == "0") => return Verdict::Ok,
            b"select" => return Verdict::Refuse("ERR DB index is out of range".to_owned()),
            b"xread" | b"xreadgroup" if blocks(args) => {
                return Verdict::Refuse(format!("ERR {} with BLOCK is not available over REST", shown()));
            }
            _ => {}
        }
        if may_write || self.subcommand_reads(&name, first).unwrap_or(reads) {
            return Verdict::Run;
        }
        let name = String::from_utf8_lossy(&name);
        Verdict::Refuse(format!("NOPERM this user has no permissions to run the '{name}' command or its subcommand"))
    }

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

/// An entry of COMMAND's reply: its name first, its ACL categories seventh, its subcommands tenth.
fn learn_command(command: &Value, kinds: &mut HashMap<Vec<u8>, Kind>) {
    let parts = command.items();
    let Some(name) = parts.first().and_then(Value::text) else { return };
    let categories: Vec<&str> = parts.get(6).into_iter().flat_map(Value::items).filter_map(Value::text).collect();
    let reads = categories.contains(&"@read") && !categories.contains(&"@dangerous");
    kinds.insert(lower(name.as_bytes()), Kind::Known { reads });
    for subcommand in parts.get(9).into_iter().flat_map(Value::items) {
        learn_command(subcommand, kinds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> Option<String> {
        let command = |name: &'static str| Value::Array(vec![Value::Bulk(name.as_bytes().into())]);
        let known = ["get", "select", "script", "xread", "xreadgroup", "config"].map(command);
        let policy = Policy::of(known.iter());
        match policy.judge(&line.split(' ').map(|arg| arg.as_bytes().to_vec().into()).collect(), true) {
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
