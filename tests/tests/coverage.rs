//! The table of commands in the client's docs, made from one list (`tests/commands.tsv`) and the client's own source: which
//! commands there are, which method issues each, and what has none. `COVERAGE=overwrite` writes it anew.
//!
//! Every method is also looked for in the golden tests, and in the tests that run it on every executor.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Commands that no server here has: they have golden tests alone.
const RUN_NOWHERE: [&str; 4] = ["ACL GENTOKEN", "ACL RESTTOKEN", "DELEX", "DIGEST"];

/// Methods that issue what other methods do.
const OF_OTHERS: [&str; 8] = [
    "run_script",
    "scan_iter",
    "hscan_iter",
    "hscan_novalues_iter",
    "sscan_iter",
    "zscan_iter",
    "xrange_iter",
    "xrevrange_iter",
];

/// A method that issues a command.
struct Method {
    family: String,
    name: String,
    command: String,
    page: Option<String>,
    writes: bool,
}

struct Listed {
    family: String,
    command: String,
    over_rest: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of all Rust files below a folder.
fn sources(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            texts.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(read(&path));
        }
    }
    texts
}

fn listed() -> Vec<Listed> {
    let row = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [family, command, over_rest, _] => {
            Listed { family: family.into(), command: command.into(), over_rest: over_rest.into() }
        }
        _ => panic!("four columns: {line}"),
    };
    read(&root().join("tests/commands.tsv")).lines().skip(1).map(row).collect()
}

/// The provided methods of each family's trait, with the command that their bodies name.
fn methods(commands: &BTreeSet<String>) -> Vec<Method> {
    let mut found = Vec::new();
    for source in sources(&root().join("client/src/commands")) {
        let mut family = None;
        let (mut page, mut name) = (None, None);
        let mut body = String::new();
        for line in source.lines() {
            if let Some(rest) = line.strip_prefix("pub trait ") {
                family = rest.split(':').next().filter(|name| name.ends_with("Commands")).map(str::to_owned);
            } else if line == "}" {
                family = None;
            }
            let Some(family) = &family else { continue };
            if let Some(url) = line.trim_start().strip_prefix("///").and_then(|doc| doc.split_once("](https://")) {
                page.get_or_insert_with(|| format!("https://{}", url.1.split(')').next().unwrap_or_default()));
            } else if let Some(rest) = line.strip_prefix("    fn ") {
                name = rest.split(['(', '<']).next().map(str::to_owned);
                body.clear();
            } else if line == "    }"
                && let Some(name) = name.take()
            {
                let command = command_of(&body, commands);
                assert!(command.is_some() || OF_OTHERS.contains(&name.as_str()), "`{name}` issues no command");
                if let Some(command) = command {
                    let writes = !body.contains("::read(\"");
                    found.push(Method { family: family.clone(), name, command, page: page.take(), writes });
                }
                page = None;
            }
            body.push_str(line.trim());
        }
    }
    found
}

/// The command that a body makes: `Command::<T>::read("ACL").arg("LIST")` is `ACL LIST`.
fn command_of(body: &str, commands: &BTreeSet<String>) -> Option<String> {
    let made = ["::read(\"", "::write(\"", "::idempotent_write(\""].iter().find_map(|call| body.split_once(call))?.1;
    let (name, rest) = made.split_once("\")")?;
    let subcommand = rest.strip_prefix(".arg(\"").and_then(|rest| rest.split('"').next());
    let both = subcommand.map(|subcommand| format!("{name} {subcommand}")).filter(|both| commands.contains(both));
    Some(both.unwrap_or_else(|| name.to_owned()))
}

fn table(listed: &[Listed], methods: &[Method]) -> String {
    let mut issuing: BTreeMap<&str, Vec<&Method>> = BTreeMap::new();
    for method in methods {
        issuing.entry(&method.command).or_default().push(method);
    }
    let mut text = String::from(
        "Every command of the REST API, and the methods that issue it.\n\n\
         A method of a family's trait runs on all executors: `&Redis`, `&blocking::Redis`, pipelines, transactions, batches and `Build`.\n\
         What is a stream of events is a `Stream` of `Redis`, and an `Iterator` of `blocking::Redis`.\n",
    );
    let mut family = "";
    for row in listed {
        if row.family != family {
            family = &row.family;
            let _ = write!(text, "\n# {family}\n\n| command | methods | executors |\n| --- | --- | --- |\n");
        }
        let command = &row.command;
        let given = issuing.get(command.as_str()).map(Vec::as_slice).unwrap_or_default();
        let link = |method: &&Method| format!("[`{0}`](crate::{1}::{0})", method.name, method.family);
        let path = command.to_ascii_lowercase().replace(' ', "-");
        let standard = format!("https://redis.io/docs/latest/commands/{path}/");
        let (page, methods, executors) = match (given, row.over_rest.as_str()) {
            ([], "yes") => panic!("{command} is carried by the API and has no method"),
            ([], "sse") => (standard, streamed(command).to_owned(), "`Redis`, `blocking::Redis`"),
            ([], _) => (standard, format!("not over REST: {}", instead(&row.family, command)), ""),
            (given, _) => {
                let page = given.iter().find_map(|method| method.page.clone());
                let page = page.unwrap_or_else(|| panic!("no method of {command} links its page"));
                (page, given.iter().map(link).collect::<Vec<_>>().join(", "), "all")
            }
        };
        let command = format!("[{command}]({page})");
        let _ = writeln!(text, "| {command} | {methods} | {executors} |");
    }
    text
}

/// What to use instead of a command that the API does not carry.
fn instead(family: &str, command: &str) -> &'static str {
    match (family, command) {
        (_, "MULTI" | "EXEC") => "[`Redis::transaction`](crate::Redis::transaction)",
        (_, "DISCARD") => "a transaction is sent whole, by its `exec`",
        (_, "WATCH" | "UNWATCH") => "a [`Script`](crate::Script) for a condition",
        ("pub-sub", _) => "drop the [`Subscription`](crate::Subscription)",
        ("list" | "sorted-set", _) => "poll",
        (_, "AUTH" | "HELLO") => "the token",
        ("connection", _) => "there is no connection",
        _ => panic!("{command} is not over REST, and there is nothing to use instead"),
    }
}

/// What stands for the commands that are streams of events.
fn streamed(command: &str) -> &'static str {
    match command {
        "SUBSCRIBE" => "[`Redis::subscribe`](crate::Redis::subscribe)",
        "PSUBSCRIBE" => "[`Redis::psubscribe`](crate::Redis::psubscribe)",
        "MONITOR" => "[`Redis::monitor`](crate::Redis::monitor)",
        _ => panic!("{command} has no method"),
    }
}

#[test]
fn every_command_that_the_api_carries_has_a_method_and_the_table_says_which() {
    let listed = listed();
    let commands = listed.iter().map(|row| row.command.clone()).collect();
    let methods = methods(&commands);
    for method in &methods {
        assert!(commands.contains(&method.command), "{} issues {}, which is not listed", method.name, method.command);
    }
    let table = table(&listed, &methods);
    let path = root().join("client/src/commands/coverage.md");
    if std::env::var_os("COVERAGE").is_some_and(|value| value == "overwrite") {
        fs::write(&path, &table).expect("the table is written");
    }
    assert!(read(&path) == table, "coverage.md is out of date: run this test with COVERAGE=overwrite");
}

#[test]
fn every_method_is_tested() {
    let commands = listed().into_iter().map(|row| row.command).collect();
    let tests = root().join("tests/tests");
    let golden = sources(&tests.join("golden")).concat();
    let live: String = sources(&tests.join("live")).into_iter().filter(|text| text.contains("&Via")).collect();
    let calls = |text: &str, on: &str, name: &str| {
        text.contains(&format!("{on}.{name}(")) || text.contains(&format!("{on}.{name}::<"))
    };
    let mut missing = Vec::new();
    for Method { name, command, .. } in methods(&commands) {
        let runs = !command.starts_with("SEARCH.") && !RUN_NOWHERE.contains(&command.as_str());
        if !calls(&golden, "Build", &name) {
            missing.push(format!("{name}: no golden test"));
        }
        if runs && !calls(&live, "redis", &name) {
            missing.push(format!("{name}: not run on every executor"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Methods that write, and whose retries cannot be compared: what nothing here can run, or gives another value each time.
const NOT_CUT: [&str; 13] = [
    "xadd",        // Its id is the time; `xadd_with` is there.
    "evalsha",     // What `run_script` sends.
    "script_kill", // Nothing runs.
    "function_kill",
    "acl_load", // The server has no file of users.
    "acl_save",
    "acl_gentoken", // The service alone has it, as it has SEARCH.
    "delex",        // Of Redis 8.4.
    "search_aliasadd",
    "search_aliasdel",
    "search_create",
    "search_drop",
    "search_reindex",
];

#[test]
fn every_method_that_writes_is_cut() {
    let commands = listed().into_iter().map(|row| row.command).collect();
    let cut = read(&root().join("tests/tests/live/writes.rs"));
    let is_cut = |name: &str| cut.contains(&format!("Build.{name}(")) || cut.contains(&format!("Build.{name}::<"));
    let missing: Vec<_> = methods(&commands)
        .into_iter()
        .filter(|method| method.writes && !is_cut(&method.name) && !NOT_CUT.contains(&method.name.as_str()))
        .map(|method| method.name)
        .collect();
    assert!(missing.is_empty(), "not among the commands of tests/live/writes.rs: {missing:#?}");
}
