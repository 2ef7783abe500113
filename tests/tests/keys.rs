//! The golden tests once more, with a real server that judges of every command which of its arguments are keys.
//!
//! A key that a command does not mark is not locked when the service runs the command in a script, which is then an error
//! there. No server here has that service's locks, so `COMMAND GETKEYS` has to tell.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::needless_pass_by_value, reason = "a command is made to be given away")]

#[path = "golden/array.rs"]
mod array;
#[path = "golden/bitmap.rs"]
mod bitmap;
#[path = "golden/generic.rs"]
mod generic;
#[path = "golden/geo.rs"]
mod geo;
#[path = "golden/hash.rs"]
mod hash;
#[path = "golden/json.rs"]
mod json;
#[path = "golden/list.rs"]
mod list;
#[path = "golden/models.rs"]
mod models;
#[path = "golden/options.rs"]
mod options;
#[path = "golden/recorded.rs"]
mod recorded;
#[path = "golden/scripting.rs"]
mod scripting;
#[path = "golden/search.rs"]
mod search;
#[path = "golden/server.rs"]
mod server;
#[path = "golden/set.rs"]
mod set;
#[path = "golden/sorted_set.rs"]
mod sorted_set;
#[path = "golden/stream.rs"]
mod stream;
#[path = "golden/string.rs"]
mod string;
#[path = "golden/vector.rs"]
mod vector;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use bytes::Bytes;
use redis_model::redis_rest::{Command, Executor as _, blocking};
use redis_model_tests::{stack, valkey};

/// Commands that no server here judges, and what their methods mark.
const NOT_JUDGED: [(&str, Marks, &str); 9] = [
    ("AR", Marks::First, "arrays exist on the service alone; each has one key"),
    ("SEARCH.", Marks::None, "exists on the service alone, and the keys of an index are unknown"),
    ("VECTOR.", Marks::None, "exists on the service alone, and whether an index is a key is unknown"),
    ("DELEX", Marks::First, "exists on the service alone"),
    ("DIGEST", Marks::First, "exists on the service alone"),
    ("EVAL", Marks::Any, "declares its keys itself, and cannot run inside a script"),
    ("FCALL", Marks::Any, "declares its keys itself, and cannot run inside a script"),
    ("ACL", Marks::None, "the gateway alone has some of them"),
    ("XLEN orders", Marks::None, "a command from its arguments, whose keys nobody has marked"),
];

/// A command whose module declares the first of its keys alone.
const ALL_BUT_THE_PATH: &str = "JSON.MGET";

/// What a command marks that no server can judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    None,
    First,
    Any,
}

/// What a server says of a command without keys. The second is what a module says of a form without.
const NO_KEYS: [&str; 2] = ["no key arguments", "Invalid arguments specified"];

/// What a server says of the keys of a command.
enum Verdict {
    Keys(BTreeSet<String>),
    /// It does not have the command.
    Unknown,
}

fn verdict(redis: &blocking::Redis, args: &[Bytes]) -> Verdict {
    let command = Command::read("COMMAND").arg("GETKEYS").args_of(args);
    match redis.execute::<Vec<String>>(command) {
        Ok(keys) => Verdict::Keys(keys.into_iter().collect()),
        Err(error) if NO_KEYS.iter().any(|text| error.message().contains(text)) => Verdict::Keys(BTreeSet::new()),
        Err(error) if error.message().contains("Invalid command specified") => Verdict::Unknown,
        Err(error) => panic!("{}: {error}", shown(args)),
    }
}

fn shown(args: &[Bytes]) -> String {
    args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect::<Vec<_>>().join(" ")
}

/// Compares what a command marks with what a server says.
fn judge(args: &[Bytes], marked: Option<Vec<String>>) {
    static SERVERS: OnceLock<[blocking::Redis; 2]> = OnceLock::new();
    let line = shown(args);
    let marked: BTreeSet<String> = marked.unwrap_or_else(|| panic!("{line}: too many arguments")).into_iter().collect();
    let servers = SERVERS.get_or_init(|| [stack().blocking(), valkey().blocking()]);
    let exempt = NOT_JUDGED.iter().find(|(name, ..)| line.starts_with(name));
    match exempt {
        Some((_, Marks::Any, _)) => return,
        Some((_, Marks::None, _)) => return assert!(marked.is_empty(), "{line}: marks {marked:?}"),
        Some((_, Marks::First, _)) | None => {}
    }
    let known = servers.iter().find_map(|redis| match verdict(redis, args) {
        Verdict::Keys(keys) => Some(keys),
        Verdict::Unknown => None,
    });
    let text = |key: &Bytes| String::from_utf8_lossy(key).into_owned();
    if line.starts_with(ALL_BUT_THE_PATH) {
        let keys = args.get(1..args.len() - 1).unwrap_or_default();
        assert_eq!(marked, keys.iter().map(text).collect(), "{line}");
        return;
    }
    let first = || args.get(1).map(text).into_iter().collect();
    match (known, exempt) {
        (Some(keys), _) => assert_eq!(marked, keys, "{line}"),
        (None, Some(_)) => assert_eq!(marked, first(), "{line}"),
        (None, None) => panic!("{line}: no server knows the command, and it is not in `NOT_JUDGED`"),
    }
}

fn line<R>(command: Command<R>) -> String {
    command.validate().unwrap_or_else(|error| panic!("{error}"));
    lines(&command).join(" | ")
}

fn lines<R>(command: &Command<R>) -> Vec<String> {
    let commands = command.commands();
    for (args, marked) in commands.iter().zip(command.marked_keys()) {
        judge(args, marked);
    }
    commands.iter().map(|args| shown(args)).collect()
}

fn refusal<R>(command: Command<R>) -> String {
    command.validate().expect_err("the command should be refused").to_string()
}
