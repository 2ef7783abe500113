//! Which commands the API allows. It refuses commands that block or need a connection of their own, those that the service
//! does not document, and writes with the read-only token.

use std::collections::HashMap;

use bytes::Bytes;

use crate::backend::Backend;
use crate::budget::Share;
use crate::documented::{Documented, documented};
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

/// The commands with the flag `blocking` that do not block as the API allows them.
const NOT_BLOCKING: [&[u8]; 4] = [b"xread", b"xreadgroup", b"wait", b"waitaof"];

/// What the name of a command determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    kind: Kind,
    /// Whether the read-only token allows it.
    reads: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A command of the server.
    Known,
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
/// its equivalent, and PING and ECHO. It does not allow SCAN, which is a dangerous command of the service alone.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The commands by their names in lower case. Subcommands are named as in `config|get`.
    rules: HashMap<Vec<u8>, Rule>,
    /// Whether commands are allowed that the service does not document.
    all_commands: bool,
}

impl Policy {
    /// Builds the policy from the commands that Redis reports.
    pub(crate) async fn load(backend: &Backend, all_commands: bool) -> Result<Self, Error> {
        let reply = backend
            .run(&[vec![Bytes::from_static(b"COMMAND")]], &mut Share::unlimited())
            .await
            .map_err(|error| Error::new(error.to_string()))?;
        match reply.first() {
            Some(commands @ Value::Array(_)) => Ok(Policy::from_commands(commands.items().iter(), all_commands)),
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
    fn from_commands<'a>(commands: impl Iterator<Item = &'a Value>, all_commands: bool) -> Self {
        let mut rules = HashMap::new();
        for command in commands {
            add_command(command, &mut rules);
        }
        let mut change = |names: &[&str], change: fn(&mut Rule)| {
            for name in names {
                change(rules.entry(lower(name.as_bytes())).or_insert(Rule { kind: Kind::Known, reads: false }));
            }
        };
        change(&["PING", "ECHO"], |rule| rule.reads = true);
        change(&["SCAN"], |rule| rule.reads = false);
        change(&CONNECTION_BOUND, |rule| rule.kind = Kind::ConnectionBound);
        change(&UNAVAILABLE, |rule| rule.kind = Kind::Unavailable);
        Policy { rules, all_commands }
    }

    /// Decides how to answer a command. `may_write` is whether the token allows all commands.
    pub(crate) fn judge(&self, args: &Args, may_write: bool) -> Verdict {
        let Some(name) = args.first() else { return Verdict::Refuse("ERR empty command".to_owned()) };
        let name = lower(name);
        let upper = || String::from_utf8_lossy(&name).to_ascii_uppercase();
        let rule = self.rules.get(&name);
        let subcommand = args.get(1).map(|word| lower(word));
        if rule.is_some_and(|rule| rule.kind == Kind::ConnectionBound) {
            return Verdict::Refuse(format!(
                "ERR Command \"{}\" is not allowed in REST or it has a special context path",
                upper()
            ));
        }
        let documented = documented(&name, subcommand.as_deref());
        match (documented, &subcommand) {
            _ if self.all_commands => {}
            (Documented::Yes, _) | (Documented::Otherwise, None) => {}
            (Documented::Otherwise, Some(subcommand)) => {
                let subcommand = String::from_utf8_lossy(subcommand).to_ascii_uppercase();
                return unavailable(&format!("{} {subcommand}", upper()));
            }
            (Documented::No, _) => return unavailable(&upper()),
        }
        let reads = match rule {
            Some(Rule { kind: Kind::Known, reads }) => *reads,
            None if documented == Documented::Yes => {
                return Verdict::Refuse(format!(
                    "ERR Command is not available: '{}'. The service has it, but the server behind this gateway does not",
                    upper()
                ));
            }
            _ => return unavailable(&upper()),
        };
        match name.as_slice() {
            b"script" if subcommand.as_deref() == Some(b"debug") => return unavailable("SCRIPT DEBUG"),
            b"select" => return judge_select(args),
            b"xread" | b"xreadgroup" if has_block_option(args) => {
                return Verdict::Refuse(format!("ERR {} with BLOCK is not available over REST", upper()));
            }
            _ => {}
        }
        if may_write || self.subcommand_reads(&name, subcommand.as_deref()).unwrap_or(reads) {
            return Verdict::Run;
        }
        Verdict::Refuse(no_permission(&String::from_utf8_lossy(&name)))
    }

    /// Decides whether a token allows the command of an event stream, such as `subscribe`.
    pub(crate) fn judge_stream(&self, name: &str, may_write: bool) -> Result<(), String> {
        let reads = self.rules.get(name.as_bytes()).is_some_and(|rule| rule.reads);
        if may_write || reads { Ok(()) } else { Err(no_permission(name)) }
    }

    /// Returns whether a subcommand reads, or `None` if the command has no such subcommand.
    fn subcommand_reads(&self, name: &[u8], word: Option<&[u8]>) -> Option<bool> {
        Some(self.rules.get(&[name, b"|", word?].concat())?.reads)
    }
}

/// Answers SELECT without Redis: a connection of the pool stays in the database of its URL.
fn judge_select(args: &Args) -> Verdict {
    let [_, database] = args.as_slice() else {
        return Verdict::Refuse("ERR wrong number of arguments for 'select' command".to_owned());
    };
    match only_database(database) {
        Ok(()) => Verdict::Ok,
        Err(text) => Verdict::Refuse(text),
    }
}

/// Returns an error for any database but 0: clients have one database, that of the gateway's URL.
fn only_database(number: &Bytes) -> Result<(), String> {
    match std::str::from_utf8(number).ok().and_then(|number| number.parse::<i64>().ok()) {
        Some(0) => Ok(()),
        Some(_) => Err("ERR DB index is out of range".to_owned()),
        None => Err("ERR value is not an integer or out of range".to_owned()),
    }
}

/// Removes the option `DB 0` of COPY: Redis would copy into its database 0, whatever that of the URL is.
pub(crate) fn copy_within_database(args: &mut Args) -> Result<(), String> {
    if !args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"COPY")) {
        return Ok(());
    }
    let mut at = 3;
    while let Some(option) = args.get(at) {
        match args.get(at + 1) {
            Some(number) if option.eq_ignore_ascii_case(b"DB") => {
                only_database(number)?;
                args.drain(at..at + 2);
            }
            _ => at += 1,
        }
    }
    Ok(())
}

fn no_permission(name: &str) -> String {
    format!("NOPERM this user has no permissions to run the '{name}' command or its subcommand")
}

fn lower(name: &[u8]) -> Vec<u8> {
    name.to_ascii_lowercase()
}

/// Adds an entry of COMMAND's reply: element 0 is the name, 2 the flags, 6 the ACL categories, 9 the subcommands.
fn add_command(command: &Value, rules: &mut HashMap<Vec<u8>, Rule>) {
    let parts = command.items();
    let Some(name) = parts.first().and_then(Value::text) else { return };
    let name = lower(name.as_bytes());
    let words = |at: usize| parts.get(at).into_iter().flat_map(Value::items).filter_map(Value::text);
    let has_flag = |flag: &str| words(2).any(|word| word == flag);
    let has_category = |category: &str| words(6).any(|word| word == category);
    // The commands of modules have no category on older servers.
    let reads = has_category("@read") || (has_flag("module") && has_flag("readonly"));
    let blocks = has_flag("blocking") && !NOT_BLOCKING.contains(&name.as_slice());
    let kind = if blocks { Kind::Unavailable } else { Kind::Known };
    rules.insert(name, Rule { kind, reads: reads && !has_category("@dangerous") });
    for subcommand in parts.get(9).into_iter().flat_map(Value::items) {
        add_command(subcommand, rules);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.to_owned().into())
    }

    /// An entry of COMMAND's reply.
    fn entry(name: &str, flags: &[&str], categories: &[&str]) -> Value {
        let set =
            |words: &[&str]| Value::Array(words.iter().map(|word| Value::Status((*word).to_owned().into())).collect());
        let mut parts: Vec<Value> = (0..10).map(|_| Value::Nil).collect();
        (parts[0], parts[2], parts[6]) = (bulk(name), set(flags), set(categories));
        Value::Array(parts.into())
    }

    fn policy(all_commands: bool) -> Policy {
        let entries = [
            entry("get", &["readonly"], &["@read"]),
            entry("set", &["write"], &["@write"]),
            entry("scan", &["readonly"], &["@read"]),
            entry("keys", &["readonly"], &["@read", "@dangerous"]),
            entry("json.get", &["readonly", "module"], &[]),
            entry("json.set", &["write", "module"], &[]),
            entry("eval_ro", &["readonly"], &["@scripting"]),
            entry("subscribe", &["pubsub"], &["@pubsub"]),
            entry("newpop", &["write", "blocking"], &["@write", "@blocking"]),
        ];
        let others = ["select", "script", "xread", "xreadgroup", "config", "object", "module", "client"];
        let others = others.map(|name| entry(name, &[], &[]));
        Policy::from_commands(entries.iter().chain(&others), all_commands)
    }

    fn judged(policy: &Policy, line: &str, may_write: bool) -> Option<String> {
        match policy.judge(&line.split(' ').map(|arg| arg.as_bytes().to_vec().into()).collect(), may_write) {
            Verdict::Refuse(text) => Some(text),
            Verdict::Run | Verdict::Ok => None,
        }
    }

    #[test]
    fn commands_that_block_or_belong_to_a_connection_are_refused() {
        for policy in [policy(false), policy(true)] {
            for line in [
                "blpop k 0",
                "newpop k",
                "WATCH k",
                "subscribe c",
                "client reply off",
                "SELECT 1",
                "SELECT",
                "SELECT 0 0",
                "SELECT x",
                "XREAD COUNT 1 BLOCK 0 STREAMS s $",
                "XREADGROUP GROUP STREAMS c BLOCK 0 STREAMS s >",
                "script debug yes",
                "SHUTDOWN",
                "module load x",
                "nosuch",
            ] {
                assert!(judged(&policy, line, true).is_some(), "{line}");
            }
            for line in [
                "GET k",
                "SELECT 0",
                "select 00",
                "XREAD COUNT 1 STREAMS BLOCK 0",
                "XREADGROUP GROUP g block STREAMS s >",
                "CONFIG GET *",
            ] {
                assert_eq!(judged(&policy, line, true), None, "{line}");
            }
        }
    }

    #[test]
    fn commands_that_the_service_does_not_document_are_refused_unless_all_are_allowed() {
        for (line, name) in
            [("object encoding k", "OBJECT"), ("config resetstat", "CONFIG RESETSTAT"), ("script help", "SCRIPT HELP")]
        {
            let expected = format!(
                "ERR Command is not available: '{name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"
            );
            assert_eq!(judged(&policy(false), line, true), Some(expected), "{line}");
            assert_eq!(judged(&policy(true), line, true), None, "{line}");
        }
        let other = judged(&policy(false), "SEARCH.QUERY i {}", true).unwrap();
        assert!(other.contains("'SEARCH.QUERY'. The service has it, but the server behind this gateway does not"));
    }

    #[test]
    fn copies_stay_in_the_database() {
        for (line, expected) in [
            ("COPY a b", Some("COPY a b")),
            ("copy a b db 0", Some("copy a b")),
            ("COPY a b REPLACE DB 00", Some("COPY a b REPLACE")),
            ("COPY db db DB 0 REPLACE DB 0", Some("COPY db db REPLACE")),
            ("COPY a b DB", Some("COPY a b DB")),
            ("COPY a b DB 1", None),
            ("COPY a b DB x", None),
            ("SET a b DB 1", Some("SET a b DB 1")),
        ] {
            let split = |line: &str| line.split(' ').map(|arg| Bytes::from(arg.to_owned())).collect::<Args>();
            let mut args = split(line);
            let outcome = copy_within_database(&mut args).ok();
            assert_eq!(outcome.map(|()| args), expected.map(split), "{line}");
        }
    }

    #[test]
    fn the_read_only_token_reads() {
        let policy = policy(true);
        for (line, is_allowed) in [
            ("get k", true),
            ("json.get k", true),
            ("ping", true),
            ("SELECT 0", true),
            ("set k v", false),
            ("json.set k $ 1", false),
            ("scan 0", false),
            ("keys *", false),
            ("eval_ro x 0", false),
        ] {
            assert_eq!(judged(&policy, line, false).is_none(), is_allowed, "{line}");
        }
        for name in ["subscribe", "psubscribe", "monitor"] {
            let expected = format!("NOPERM this user has no permissions to run the '{name}' command or its subcommand");
            assert_eq!(policy.judge_stream(name, false), Err(expected));
            assert_eq!(policy.judge_stream(name, true), Ok(()));
        }
    }
}
