//! The table of commands in the client's docs, generated from one list (`tests/commands.tsv`) and the client's own source:
//! which commands exist, which method issues each, and which have none. `COVERAGE=overwrite` writes it again.
//!
//! Every method must also appear in the golden tests, and in the tests that run it on every executor.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use redis_model_tests::sources::{read, root, rust_files};
use syn::visit::{self, Visit};

/// Families that no server here has: they have golden tests alone.
const FAMILIES_RUN_NOWHERE: [&str; 3] = ["ArrayCommands", "SearchCommands", "VectorCommands"];

/// Other commands that no server here has.
const RUN_NOWHERE: [&str; 2] = ["DELEX", "DIGEST"];

/// Commands that the gateway answers itself, but not in a transaction. `gateway_acl` runs them.
const NOT_IN_TRANSACTIONS: [&str; 2] = ["ACL GENTOKEN", "ACL RESTTOKEN"];

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

/// The text of all Rust files below a folder.
fn sources(folder: &Path) -> Vec<String> {
    rust_files(folder).iter().map(|path| read(path)).collect()
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
        let file = syn::parse_file(&source).expect("a source file");
        let families = file.items.iter().filter_map(|item| match item {
            syn::Item::Trait(item) if item.ident.to_string().ends_with("Commands") => Some(item),
            _ => None,
        });
        for family in families {
            for item in &family.items {
                let syn::TraitItem::Fn(method) = item else { continue };
                let name = method.sig.ident.to_string();
                let mut declared = Declared::default();
                declared.visit_trait_item_fn(method);
                let Some((writes, command, subcommand)) = declared.0 else {
                    assert!(OF_OTHERS.contains(&name.as_str()), "`{name}` issues no command");
                    continue;
                };
                let both = subcommand.map(|subcommand| format!("{command} {subcommand}"));
                let command = both.filter(|both| commands.contains(both)).unwrap_or(command);
                found.push(Method {
                    family: family.ident.to_string(),
                    name,
                    command,
                    page: page(&method.attrs),
                    writes,
                });
            }
        }
    }
    found
}

/// The first command that a body starts: `Command::read("ACL").arg("LIST")` reads, and is `ACL LIST`.
#[derive(Default)]
struct Declared(Option<(bool, String, Option<String>)>);

impl<'ast> Visit<'ast> for Declared {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        // The receiver was visited before: if it is the start of a command, that one lacks its subcommand.
        if call.method == "arg"
            && matches!(&*call.receiver, syn::Expr::Call(start) if started(start).is_some())
            && let Some((.., subcommand @ None)) = &mut self.0
        {
            *subcommand = call.args.first().and_then(literal);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        visit::visit_expr_call(self, call);
        if let (None, Some((writes, name))) = (&self.0, started(call)) {
            self.0 = Some((writes, name, None));
        }
    }
}

/// Whether a call starts a command that writes, and the command's name.
fn started(call: &syn::ExprCall) -> Option<(bool, String)> {
    let syn::Expr::Path(path) = &*call.func else { return None };
    let segments: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let [first, constructor] = &segments[..] else { return None };
    let writes = match constructor.as_str() {
        "read" => false,
        "write" | "idempotent_write" => true,
        _ => return None,
    };
    (first == "Command").then_some(())?;
    Some((writes, call.args.first().and_then(literal)?))
}

fn literal(expr: &syn::Expr) -> Option<String> {
    match expr {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// The page that a method's docs link.
fn page(attrs: &[syn::Attribute]) -> Option<String> {
    attrs.iter().find_map(|attr| {
        let syn::Meta::NameValue(doc) = &attr.meta else { return None };
        let text = literal(&doc.value)?;
        let (_, url) = text.split_once("](https://")?;
        Some(format!("https://{}", url.split(')').next().unwrap_or_default()))
    })
}

/// The methods that sources call on a value of this name: `get` of `Build.get(..)`. Macros' arguments count too.
fn calls<'s>(sources: impl IntoIterator<Item = &'s String>, on: &str) -> BTreeSet<String> {
    fn collect(tokens: TokenStream, on: &str, calls: &mut BTreeSet<String>) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for window in tokens.windows(3) {
            if let [TokenTree::Ident(value), TokenTree::Punct(dot), TokenTree::Ident(method)] = window
                && value == on
                && dot.as_char() == '.'
            {
                calls.insert(method.to_string());
            }
        }
        for token in tokens {
            if let TokenTree::Group(group) = token {
                collect(group.stream(), on, calls);
            }
        }
    }
    let mut all = BTreeSet::new();
    for source in sources {
        collect(source.parse().expect("a source file"), on, &mut all);
    }
    all
}

fn table(listed: &[Listed], methods: &[Method]) -> String {
    let mut issuing: BTreeMap<&str, Vec<&Method>> = BTreeMap::new();
    for method in methods {
        issuing.entry(&method.command).or_default().push(method);
    }
    let mut text = String::from(
        "Every command of the REST API, and the methods that issue it.\n\n\
         A method of a family's trait runs on all executors: `&Redis`, `&blocking::Redis`, pipelines, transactions, batches and `Build`.\n\
         A stream of events is a `Stream` on `Redis`, and an `Iterator` on `blocking::Redis`.\n",
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
        (_, "UNSUBSCRIBE") => "[`Subscription::unsubscribe`](crate::subscribe::Subscription::unsubscribe)",
        (_, "PUNSUBSCRIBE") => "[`Subscription::punsubscribe`](crate::subscribe::Subscription::punsubscribe)",
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
    let golden = calls(&sources(&tests.join("golden")), "Build");
    let live = sources(&tests.join("live")).into_iter().filter(|text| text.contains("&Via"));
    let live = calls(&live.collect::<Vec<_>>(), "redis");
    let mut missing = Vec::new();
    for Method { family, name, command, .. } in methods(&commands) {
        let excepted = RUN_NOWHERE.iter().chain(&NOT_IN_TRANSACTIONS).any(|name| *name == command);
        let runs = !FAMILIES_RUN_NOWHERE.contains(&family.as_str()) && !excepted;
        if !golden.contains(&name) {
            missing.push(format!("{name}: no golden test"));
        }
        if runs && !live.contains(&name) {
            missing.push(format!("{name}: not run on every executor"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Methods that write, and whose retries cannot be compared: what nothing here can run, or gives another value each time.
const NOT_CUT: [&str; 8] = [
    "xadd",        // Its id is the time; `xadd_with` is there.
    "evalsha",     // What `run_script` sends.
    "script_kill", // Nothing runs.
    "function_kill",
    "acl_load", // The server has no file of users.
    "acl_save",
    "acl_gentoken", // Each token is another.
    "delex",        // Of Redis 8.4.
];

#[test]
fn every_method_that_writes_is_cut() {
    let commands = listed().into_iter().map(|row| row.command).collect();
    let cut = calls([&read(&root().join("tests/tests/live/writes.rs"))], "Build");
    let missing: Vec<_> = methods(&commands)
        .into_iter()
        .filter(|method| method.writes && !FAMILIES_RUN_NOWHERE.contains(&method.family.as_str()))
        .filter(|method| !cut.contains(&method.name) && !NOT_CUT.contains(&method.name.as_str()))
        .map(|method| method.name)
        .collect();
    assert!(missing.is_empty(), "not among the commands of tests/live/writes.rs: {missing:#?}");
}
