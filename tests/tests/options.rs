//! Every option of every command, and where it is typed: `client/src/commands/options.md`, generated from
//! `tests/options.tsv` and the client's own source. `OPTIONS=overwrite cargo test -p redis-model-tests --test options`
//! writes both again, the list from a real server's `COMMAND DOCS`: run it twice if the list changed.
//!
//! An option that is neither typed nor an [`OMITTED`] one fails, and so does one that no golden test sends.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use redis_model::redis_rest::{Executor as _, Result, Value};
use redis_model_tests::stack;
use syn::visit::{self, Visit};

/// Options that have no method, and why. A command `*` is any.
const OMITTED: [(&str, &str, &str); 10] = [
    ("*", "BLOCK", "the REST API does not carry it: poll"),
    ("*", "=", "the default; `~` is the other choice"),
    ("*", "BYTE", "the default; `BIT` is the other choice"),
    ("ARGREP", "OR", "the default; `AND` is the other choice"),
    ("VECTOR.ADD", "FP32", FP32),
    ("VECTOR.QUERY", "FP32", FP32),
    ("ZINTER", "SUM", SUM),
    ("ZINTERSTORE", "SUM", SUM),
    ("ZUNION", "SUM", SUM),
    ("ZUNIONSTORE", "SUM", SUM),
];

const FP32: &str = "bytes, which a pipeline cannot carry; `BASE64-FP32` has the same numbers";
const SUM: &str = "the default; `MIN` and `MAX` are the other choices";

/// What the third column of `options.tsv` says of a row that `COMMAND DOCS` has.
const SERVER: &str = "COMMAND DOCS";

/// An option of a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    command: String,
    token: String,
}

impl Choice {
    fn new(command: &str, token: &str) -> Self {
        Choice { command: command.to_owned(), token: token.to_owned() }
    }
}

/// A row of `commands.tsv` that the API carries.
struct Listed {
    family: String,
    command: String,
    syntax: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Rust files below a folder, with their texts.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = read(&path);
            files.push((path, text));
        }
    }
    files
}

fn listed() -> Vec<Listed> {
    let row = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [family, command, "yes", syntax] => {
            Some(Listed { family: family.into(), command: command.into(), syntax: syntax.into() })
        }
        _ => None,
    };
    read(&root().join("tests/commands.tsv")).lines().skip(1).filter_map(row).collect()
}

impl Listed {
    /// Whether this row documents a command of `COMMAND DOCS`: itself, or a subcommand that its syntax names.
    fn documents(&self, command: &str) -> bool {
        self.command == command || (command.starts_with(&format!("{} ", self.command)) && self.syntax.contains(command))
    }

    /// The words in capitals of the syntax. A placeholder is in angle brackets, unless it is a choice: `<JSON|HASH>`.
    fn words(&self) -> BTreeSet<String> {
        let mut text = self.syntax.replace(&self.command, " ");
        for placeholder in self.syntax.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            if !placeholder.contains('|') {
                text = text.replace(&format!("<{placeholder}>"), " ");
            }
        }
        // A subcommand follows the command's name: it is no option.
        let name = self.command.split(' ').next().unwrap_or_default();
        let subcommands: BTreeSet<_> = self.syntax.split(&format!("{name} ")).skip(1).filter_map(first_word).collect();
        text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            .filter(|word| word.len() > 1 && word.starts_with(|c: char| c.is_ascii_uppercase()))
            .filter(|word| *word == word.to_ascii_uppercase() && !subcommands.contains(word))
            .map(str::to_owned)
            .collect()
    }
}

fn first_word(text: &str) -> Option<&str> {
    text.split(' ').next()
}

/// The rows of `options.tsv`, with where each was found.
fn recorded() -> Vec<(Choice, String)> {
    let row = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [command, token, found] => (Choice::new(command, token), found.to_owned()),
        _ => panic!("three columns: {line}"),
    };
    read(&root().join("tests/options.tsv")).lines().skip(1).map(row).collect()
}

/// What the server's `COMMAND DOCS` says of the listed commands.
async fn served(listed: &[Listed]) -> Result<BTreeSet<Choice>> {
    fn pairs(value: &Value) -> Vec<(String, &Value)> {
        let Value::Array(items) = value else { return Vec::new() };
        let name = |value: &Value| match value {
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        items.chunks_exact(2).filter_map(|pair| Some((name(pair.first()?), pair.last()?))).collect()
    }
    fn tokens(arguments: &Value, found: &mut BTreeSet<String>) {
        let Value::Array(arguments) = arguments else { return };
        for (name, value) in arguments.iter().flat_map(pairs) {
            match (name.as_str(), value) {
                ("token", Value::Bytes(token)) => {
                    found.insert(String::from_utf8_lossy(token).into_owned());
                }
                ("arguments", deeper) => tokens(deeper, found),
                _ => {}
            }
        }
    }
    fn walk(name: &str, docs: &Value, listed: &[Listed], found: &mut BTreeSet<Choice>) {
        let command = name.replace('|', " ").to_ascii_uppercase();
        for (part, value) in pairs(docs) {
            match part.as_str() {
                "subcommands" => pairs(value).iter().for_each(|(name, docs)| walk(name, docs, listed, found)),
                "arguments" if listed.iter().any(|row| row.documents(&command)) => {
                    let mut all = BTreeSet::new();
                    tokens(value, &mut all);
                    found.extend(all.iter().map(|token| Choice::new(&command, token)));
                }
                _ => {}
            }
        }
    }
    let docs = stack().redis().execute::<Value>(["COMMAND", "DOCS"]).await?;
    let mut found = BTreeSet::new();
    pairs(&docs).iter().for_each(|(name, docs)| walk(name, docs, listed, &mut found));
    Ok(found)
}

/// What a piece of source mentions.
#[derive(Debug, Default, Clone)]
struct Mentions {
    texts: BTreeSet<String>,
    types: BTreeSet<String>,
    calls: BTreeSet<String>,
    /// The command that it starts, and the argument after its name, if that is a literal.
    command: Option<(String, Option<String>)>,
}

impl Mentions {
    fn add(&mut self, other: &Mentions) {
        self.texts.extend(other.texts.iter().cloned());
        self.types.extend(other.types.iter().cloned());
        self.calls.extend(other.calls.iter().cloned());
    }

    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    self.texts
                        .extend(syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|text| text.value()));
                }
                TokenTree::Ident(ident) => {
                    self.types.insert(ident.to_string());
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn is_of(&self, command: &str) -> bool {
        self.command.as_ref().is_some_and(|(name, after)| {
            name == command || after.as_ref().is_some_and(|after| format!("{name} {after}") == command)
        })
    }
}

fn literal(expr: Option<&syn::Expr>) -> Option<String> {
    match expr {
        Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) => Some(text.value()),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.texts.insert(text.value());
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
    }

    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        self.types.insert(segment.ident.to_string());
        visit::visit_path_segment(self, segment);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        self.calls.insert(call.method.to_string());
        if call.method == "arg"
            && matches!(&*call.receiver, syn::Expr::Call(_))
            && let Some((_, after @ None)) = &mut self.command
        {
            *after = literal(call.args.first());
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        visit::visit_expr_call(self, call);
        let syn::Expr::Path(path) = &*call.func else { return };
        let names: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.calls.extend(names.last().cloned());
        if let (None, [.., of, "read" | "write" | "idempotent_write"]) =
            (&self.command, &names.iter().map(String::as_str).collect::<Vec<_>>()[..])
            && *of == "Command"
        {
            self.command = literal(call.args.first()).map(|name| (name, None));
        }
    }
}

/// A place where a user types an option: a builder method or a variant.
struct Place {
    name: String,
    documented: Vec<String>,
    texts: BTreeSet<String>,
}

/// An option type, or what it is made of.
#[derive(Default)]
struct Type {
    /// The module of its documentation, if it is public.
    module: Option<String>,
    mentions: Mentions,
    places: Vec<Place>,
}

struct Method {
    family: String,
    name: String,
    mentions: Mentions,
}

/// The client's commands, as far as their options are concerned.
#[derive(Default)]
struct Client {
    methods: Vec<Method>,
    types: BTreeMap<String, Type>,
    functions: BTreeMap<String, Mentions>,
    macros: BTreeMap<String, Mentions>,
    /// Types that a macro was called with, and what it writes.
    expanded: Vec<(String, Mentions)>,
}

fn mentions(visit: impl FnOnce(&mut Mentions)) -> Mentions {
    let mut found = Mentions::default();
    visit(&mut found);
    found
}

/// The options that docs name after a colon: `Sets the time to live: EX or PX. Replaces ..` is of EX and PX.
fn documented(attrs: &[syn::Attribute]) -> Vec<String> {
    let line = |attr: &syn::Attribute| match &attr.meta {
        syn::Meta::NameValue(doc) => literal(Some(&doc.value)),
        _ => None,
    };
    let docs: String = attrs.iter().filter_map(line).collect::<Vec<_>>().join(" ");
    let named = docs.split(": ").skip(1).filter_map(|rest| rest.split(". ").next());
    let code = named.flat_map(|named| named.split('`').skip(1).step_by(2));
    code.flat_map(|code| code.split_whitespace().map(str::to_owned)).collect()
}

impl Client {
    fn read() -> Self {
        let mut client = Client::default();
        let commands = root().join("client/src/commands");
        for (path, text) in sources(&commands) {
            let below = path.strip_prefix(&commands).expect("a file below the folder").with_extension("");
            let module = below.iter().next().expect("a file").to_string_lossy().into_owned();
            client.add(&module, &syn::parse_file(&text).expect("a source file"));
        }
        client.add("", &syn::parse_file(&read(&root().join("client/src/command/mod.rs"))).expect("a source file"));
        client.spread_macros();
        client
    }

    fn add(&mut self, module: &str, file: &syn::File) {
        for item in &file.items {
            match item {
                syn::Item::Trait(item) if item.ident.to_string().ends_with("Commands") => self.add_family(item),
                syn::Item::Fn(item) => {
                    self.function(&item.sig, &item.block);
                }
                syn::Item::Impl(item) => self.add_impl(item),
                syn::Item::Struct(item) => {
                    let found = mentions(|found| found.visit_fields(&item.fields));
                    self.declare(module, &item.ident, &item.vis, &found);
                }
                syn::Item::Enum(item) => {
                    let found = mentions(|found| item.variants.iter().for_each(|variant| found.visit_variant(variant)));
                    let places = item.variants.iter().map(|variant| Place {
                        name: variant.ident.to_string(),
                        documented: documented(&variant.attrs),
                        texts: BTreeSet::from([variant.ident.to_string().to_ascii_uppercase()]),
                    });
                    self.declare(module, &item.ident, &item.vis, &found).places.extend(places);
                }
                syn::Item::Macro(item) => self.add_macro(module, item),
                _ => {}
            }
        }
    }

    fn declare(&mut self, module: &str, name: &syn::Ident, vis: &syn::Visibility, found: &Mentions) -> &mut Type {
        let kind = self.types.entry(name.to_string()).or_default();
        if matches!(vis, syn::Visibility::Public(_)) {
            kind.module = Some(module.to_owned());
        }
        kind.mentions.add(found);
        kind
    }

    fn function(&mut self, sig: &syn::Signature, block: &syn::Block) -> Mentions {
        let found = mentions(|found| {
            sig.inputs.iter().for_each(|input| found.visit_fn_arg(input));
            found.visit_block(block);
        });
        self.functions.entry(sig.ident.to_string()).or_default().add(&found);
        found
    }

    fn add_family(&mut self, family: &syn::ItemTrait) {
        for item in &family.items {
            let syn::TraitItem::Fn(method) = item else { continue };
            let found = mentions(|found| {
                method.sig.inputs.iter().for_each(|input| found.visit_fn_arg(input));
                method.default.iter().for_each(|block| found.visit_block(block));
            });
            let (family, name) = (family.ident.to_string(), method.sig.ident.to_string());
            self.methods.push(Method { family, name, mentions: found });
        }
    }

    fn add_impl(&mut self, item: &syn::ItemImpl) {
        let syn::Type::Path(path) = &*item.self_ty else { return };
        let name = path.path.segments.last().expect("a path").ident.to_string();
        // What a reply looks like is no option.
        if item.trait_.as_ref().is_some_and(|(of, _)| of.segments.iter().any(|part| part.ident == "FromReply")) {
            return;
        }
        let mut all = mentions(|found| item.trait_.iter().for_each(|(of, _)| found.visit_path(of)));
        let mut places = Vec::new();
        for part in &item.items {
            let syn::ImplItem::Fn(method) = part else { continue };
            // The helpers of `Command` are functions, whoever calls them.
            if name == "Command" {
                self.function(&method.sig, &method.block);
                continue;
            }
            let found = mentions(|found| {
                method.sig.inputs.iter().for_each(|input| found.visit_fn_arg(input));
                found.visit_block(&method.block);
            });
            all.add(&found);
            if matches!(method.vis, syn::Visibility::Public(_)) {
                let documented = documented(&method.attrs);
                places.push(Place { name: method.sig.ident.to_string(), documented, texts: found.texts });
            }
        }
        if name != "Command" {
            let kind = self.types.entry(name).or_default();
            kind.mentions.add(&all);
            kind.places.extend(places);
        }
    }

    /// A macro by which several types are declared: what its calls say belongs to each type that they name.
    fn add_macro(&mut self, module: &str, item: &syn::ItemMacro) {
        let found = mentions(|found| found.tokens(item.mac.tokens.clone()));
        if let Some(name) = &item.ident {
            self.macros.entry(name.to_string()).or_default().add(&found);
            return;
        }
        for (of, variants) in enums(item.mac.tokens.clone()) {
            self.types.entry(of).or_default().places.extend(variants);
        }
        let name = item.mac.path.segments.last().expect("a path").ident.to_string();
        let template = self.macros.get(&name).cloned().unwrap_or_default();
        let named = item.mac.tokens.clone().into_iter().filter_map(|token| match token {
            TokenTree::Ident(name) => Some(name.to_string()),
            _ => None,
        });
        for of in named {
            let kind = self.types.entry(of.clone()).or_default();
            kind.mentions.add(&found);
            kind.mentions.add(&template);
            kind.module.get_or_insert_with(|| module.to_owned());
            self.expanded.push((of, template.clone()));
        }
    }

    /// What a macro writes for a type can belong to another type: `impl From<TextField> for IndexField`.
    fn spread_macros(&mut self) {
        for (of, template) in std::mem::take(&mut self.expanded) {
            for other in template.types.iter().filter(|other| **other != of) {
                if let Some(kind) = self.types.get_mut(other) {
                    kind.mentions.types.insert(of.clone());
                }
            }
        }
    }

    /// The texts that a piece of source mentions, and the functions that it calls.
    fn texts_of(&self, start: &Mentions) -> BTreeSet<String> {
        let (mut texts, mut next, mut done) = (start.texts.clone(), start.calls.clone(), BTreeSet::new());
        while let Some(call) = next.pop_first() {
            if done.insert(call.clone())
                && let Some(found) = self.functions.get(&call)
            {
                texts.extend(found.texts.iter().cloned());
                next.extend(found.calls.iter().cloned());
            }
        }
        texts
    }

    /// The types that a piece of source reaches: those that it names, and those that these are made of.
    fn types_of(&self, start: &Mentions) -> BTreeMap<&str, &Type> {
        let (mut next, mut found) = (start.types.clone(), BTreeMap::new());
        for call in &start.calls {
            next.extend(self.functions.get(call).into_iter().flat_map(|function| function.types.iter().cloned()));
        }
        while let Some(name) = next.pop_first() {
            if let Some((name, kind)) = self.types.get_key_value(&name)
                && found.insert(name.as_str(), kind).is_none()
            {
                next.extend(kind.mentions.types.iter().cloned());
            }
        }
        found
    }

    /// Links to where a user types an option.
    fn places(&self, choice: &Choice) -> Vec<String> {
        let is_it = |text: &String| text.eq_ignore_ascii_case(&choice.token);
        let mut links = Vec::new();
        for method in self.methods.iter().filter(|method| method.mentions.is_of(&choice.command)) {
            let types = self.types_of(&method.mentions);
            let mut all = [&method.mentions].into_iter().chain(types.values().map(|kind| &kind.mentions));
            if !all.any(|mentions| self.texts_of(mentions).iter().any(is_it)) {
                continue;
            }
            let mut found = Vec::new();
            for (name, kind) in &types {
                let Some(module) = &kind.module else { continue };
                let here = |place: &&Place| place.documented.iter().chain(&place.texts).any(is_it);
                found.extend(
                    kind.places
                        .iter()
                        .filter(here)
                        .map(|place| format!("[`{name}::{0}`](crate::commands::{module}::{name}::{0})", place.name)),
                );
            }
            if found.is_empty() {
                found.push(format!("[`{1}`](crate::{0}::{1})", method.family, method.name));
            }
            for link in found {
                if !links.contains(&link) {
                    links.push(link);
                }
            }
        }
        links
    }
}

/// The enums that a macro's call declares, if it does, and their variants: `Name { Variant = "WORD", .. }`.
fn enums(tokens: TokenStream) -> Vec<(String, Vec<Place>)> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let declared = tokens.windows(2).filter_map(|window| match window {
        [TokenTree::Ident(name), TokenTree::Group(body)] => Some((name.to_string(), variants(body.stream()))),
        _ => None,
    });
    declared.collect()
}

fn variants(tokens: TokenStream) -> Vec<Place> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let variants = tokens.windows(3).filter_map(|window| match window {
        [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(word)] => {
            let word = syn::parse_str::<syn::LitStr>(&word.to_string()).ok()?.value();
            Some(Place { name: name.to_string(), documented: Vec::new(), texts: BTreeSet::from([word]) })
        }
        _ => None,
    });
    variants.collect()
}

/// The literals of each golden test: what the client sends.
fn golden() -> Vec<BTreeSet<String>> {
    let files = sources(&root().join("tests/tests/golden"));
    let functions = files.iter().flat_map(|(_, text)| syn::parse_file(text).expect("a source file").items);
    let texts = functions.filter_map(|item| match item {
        syn::Item::Fn(item) => Some(mentions(|found| found.visit_block(&item.block)).texts),
        _ => None,
    });
    texts.chain(recordings()).collect()
}

/// The requests that the official SDKs were recorded to send, and that golden tests compare ours with.
fn recordings() -> Vec<BTreeSet<String>> {
    let folder = fs::read_dir(root().join("tests/sdk")).expect("a folder");
    let paths = folder.map(|entry| entry.expect("an entry").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    // Other files there have another shape.
    let calls =
        paths.filter_map(|path| serde_json::from_str::<BTreeMap<String, Vec<serde_json::Value>>>(&read(&path)).ok());
    let words = |args: Vec<serde_json::Value>| {
        args.iter().map(|arg| arg.as_str().map_or_else(|| arg.to_string(), str::to_owned)).collect::<Vec<_>>().join(" ")
    };
    calls.flat_map(BTreeMap::into_values).map(|args| BTreeSet::from([words(args)])).collect()
}

/// Whether a golden test has a line of the command with the option. A line with a gap takes what the test has beside
/// it.
fn is_sent(golden: &[BTreeSet<String>], choice: &Choice) -> bool {
    let has = |text: &String| text.split([' ', '"']).any(|word| word.eq_ignore_ascii_case(&choice.token));
    golden.iter().any(|texts| {
        let mut lines = texts.iter().filter(|text| text.starts_with(&format!("{} ", choice.command)));
        lines.any(|line| has(line) || (line.contains('{') && texts.iter().any(has)))
    })
}

fn omitted(choice: &Choice) -> Option<&'static str> {
    let fits = |(command, token, _): &&(&str, &str, &str)| {
        (*command == "*" || *command == choice.command) && *token == choice.token
    };
    OMITTED.iter().find(fits).map(|(.., why)| *why)
}

/// All options of the listed commands, by family.
fn options(listed: &[Listed]) -> Vec<(&str, BTreeSet<Choice>)> {
    let recorded = recorded();
    let mut families: Vec<(&str, BTreeSet<Choice>)> = Vec::new();
    for row in listed {
        if families.last().is_none_or(|(family, _)| *family != row.family) {
            families.push((&row.family, BTreeSet::new()));
        }
        let Some((_, choices)) = families.last_mut() else { continue };
        let own = recorded.iter().map(|(choice, _)| choice).filter(|choice| row.documents(&choice.command));
        let own: BTreeSet<Choice> = own.cloned().collect();
        let known: BTreeSet<_> = own.iter().map(|choice| choice.token.clone()).collect();
        let others = row.words().into_iter().filter(|word| !known.contains(word));
        choices.extend(others.map(|word| Choice::new(&row.command, &word)));
        choices.extend(own);
    }
    families
}

#[test]
fn every_option_is_typed_and_sent_and_the_table_says_where() {
    let (listed, client, golden) = (listed(), Client::read(), golden());
    let mut missing = Vec::new();
    let mut text = String::from(
        "Every option of every command, and where it is typed.\n\n\
         The options are those of Redis 8.2 (its own `COMMAND DOCS`), and those that only the documentation has.\n",
    );
    for (family, choices) in options(&listed) {
        if choices.is_empty() {
            continue;
        }
        let _ = write!(text, "\n# {family}\n\n| command | option | typed as |\n| --- | --- | --- |\n");
        for choice in &choices {
            let Choice { command, token } = choice;
            let places = client.places(choice);
            let typed = match (omitted(choice), places.is_empty()) {
                (Some(why), _) => format!("not typed: {why}"),
                (None, true) => {
                    missing.push(format!("{command} {token}: typed nowhere, and not in OMITTED"));
                    continue;
                }
                (None, false) => places.join(", "),
            };
            if omitted(choice).is_none() && !is_sent(&golden, choice) {
                missing.push(format!("{command} {token}: no golden test sends it"));
            }
            let _ = writeln!(text, "| `{command}` | `{token}` | {typed} |");
        }
    }
    assert!(missing.is_empty(), "{} {missing:#?}", missing.len());
    let path = root().join("client/src/commands/options.md");
    if overwrite() {
        fs::write(&path, &text).expect("the table is written");
    }
    assert!(read(&path) == text, "options.md is out of date: run this test with OPTIONS=overwrite");
}

fn overwrite() -> bool {
    std::env::var_os("OPTIONS").is_some_and(|value| value == "overwrite")
}

#[tokio::test]
async fn the_list_is_what_the_server_says() -> Result<()> {
    let listed = listed();
    let served = served(&listed).await?;
    let path = root().join("tests/options.tsv");
    if overwrite() {
        // Rows from elsewhere were added by hand, and stay.
        let by_hand = recorded().into_iter().filter(|(_, found)| found != SERVER);
        let all: BTreeSet<_> = served.iter().map(|choice| (choice.clone(), SERVER.to_owned())).chain(by_hand).collect();
        let mut text = "command\ttoken\tfound in\n".to_owned();
        for (Choice { command, token }, found) in all {
            let _ = writeln!(text, "{command}\t{token}\t{found}");
        }
        fs::write(&path, text).expect("the list is written");
    }
    let recorded: BTreeSet<Choice> =
        recorded().into_iter().filter(|(_, found)| found == SERVER).map(|(choice, _)| choice).collect();
    assert!(recorded == served, "options.tsv is out of date: run this test with OPTIONS=overwrite");
    Ok(())
}
