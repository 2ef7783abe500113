//! The layers of each crate: a module uses what stands below it, and nothing above.
//!
//! A room is a file or a folder directly below `src`. An arrow goes from a room to another that it names by `crate::`,
//! in a `use` or anywhere else. `cargo test -p redis-model-tests --test layers -- --nocapture` prints the figures, and
//! `LAYERS_SRC=some/src` those of another tree.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking, and reports")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use redis_model_tests::sources::rust_files;
use syn::visit::{self, Visit};

/// From the ground up.
const CLIENT: &[&str] = &[
    "error",
    "arg",
    "wire",
    "platform",
    "transport",
    "reply",
    "command",
    "executor",
    "connection",
    "commands",
    "client",
    "guide",
];
const MAPPER: &[&str] = &[
    "kind",
    "millis",
    "mismatch",
    "scripts",
    "key",
    "index",
    "model",
    "field",
    "codec",
    "field_codec",
    "value",
    "value_for",
    "id",
    "pairs",
    "page_len",
    "pace",
    "once",
    "failure",
    "waiting",
    "evolution",
    "write",
    "query",
    "upkeep",
    "hash",
    "list",
    "stream",
    "reference",
    "codegen",
    "guide",
];
const DERIVE: &[&str] = &["errors", "case", "attr", "ast", "check", "expand", "fallback"];
const GATEWAY: &[&str] = &[
    "budget",
    "error",
    "limits",
    "program",
    "secret",
    "folder",
    "resp",
    "reply",
    "request",
    "backend",
    "documented",
    "policy",
    "script",
    "response",
    "auth",
    "listener",
    "state",
    "acl",
    "cors",
    "sse",
    "execute",
    "http",
    "view",
    "gateway",
    "server",
    "install",
];
/// Inside `derive/src/expand`.
const EXPAND: &[&str] =
    &["commands", "variable", "hooks", "evolution", "index", "fields", "event", "value", "element", "model"];

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Collects the first segment after `root::` of every path.
struct Targets {
    root: &'static str,
    found: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Targets {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if let syn::UseTree::Path(path) = &item.tree
            && path.ident == self.root
        {
            self.found.extend(names(&path.tree));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|first| first.ident == self.root) {
            self.found.extend(segments.next().map(|second| second.ident.to_string()));
        }
        visit::visit_path(self, path);
    }
}

/// The first names of a tree.
fn names(tree: &syn::UseTree) -> Vec<String> {
    match tree {
        syn::UseTree::Path(path) => vec![path.ident.to_string()],
        syn::UseTree::Name(name) => vec![name.ident.to_string()],
        syn::UseTree::Rename(rename) => vec![rename.ident.to_string()],
        syn::UseTree::Group(group) => group.items.iter().flat_map(names).collect(),
        syn::UseTree::Glob(_) => Vec::new(),
    }
}

/// What `lib.rs` re-exports, and from which room: `crate::Arg` names the room `arg`.
fn reexports(src: &Path) -> BTreeMap<String, String> {
    let Ok(text) = fs::read_to_string(src.join("lib.rs")) else { return BTreeMap::new() };
    let parsed = syn::parse_file(&text).expect("lib.rs");
    let uses = parsed.items.iter().filter_map(|item| match item {
        syn::Item::Use(syn::ItemUse { tree: syn::UseTree::Path(path), .. }) if path.ident == "crate" => {
            Some(&path.tree)
        }
        _ => None,
    });
    let rooms = uses.filter_map(|tree| match &**tree {
        syn::UseTree::Path(room) => Some((room.ident.to_string(), names(&room.tree))),
        _ => None,
    });
    rooms.flat_map(|(room, names)| names.into_iter().map(move |name| (name, room.clone()))).collect()
}

/// The rooms of a folder, and which others each of them uses. `root` is how they name each other.
fn arrows(src: &Path, root: &'static str) -> Arrows {
    let mut rooms: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in fs::read_dir(src).unwrap_or_else(|error| panic!("{}: {error}", src.display())) {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let is_room = path.is_dir() || path.extension().is_some_and(|end| end == "rs");
        if is_room && !["lib", "main", "mod"].contains(&name.as_str()) {
            rooms.entry(name).or_default().extend(rust_files(&path));
        }
    }
    let uses = |files: &Vec<PathBuf>| {
        let mut targets = Targets { root, found: BTreeSet::new() };
        for file in files {
            let text = fs::read_to_string(file).expect("a source file");
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            targets.visit_file(&parsed);
        }
        targets.found
    };
    let reexports = reexports(src);
    let used: Vec<_> = rooms.iter().map(|(room, files)| (room.clone(), uses(files))).collect();
    used.into_iter()
        .map(|(room, found)| {
            let found = found.into_iter().map(|name| reexports.get(&name).cloned().unwrap_or(name));
            let others = found.filter(|name| *name != room && rooms.contains_key(name)).collect();
            (room, others)
        })
        .collect()
}

/// The rooms from which a path of arrows leads back to themselves.
fn circles(arrows: &Arrows) -> Vec<&str> {
    let leads_back = |room: &str| {
        let (mut open, mut seen) = (vec![room], BTreeSet::new());
        while let Some(next) = open.pop() {
            for target in &arrows[next] {
                if target == room {
                    return true;
                }
                if seen.insert(target) {
                    open.push(target);
                }
            }
        }
        false
    };
    arrows.keys().map(String::as_str).filter(|room| leads_back(room)).collect()
}

fn check(src: &str, root: &'static str, layers: &[&str]) {
    let arrows = arrows(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(src), root);
    let rank = |room: &str| {
        let rank = layers.iter().position(|layer| *layer == room);
        rank.unwrap_or_else(|| panic!("{src}: `{room}` has no place among the layers of this test"))
    };
    for layer in layers {
        assert!(arrows.contains_key(*layer), "{src}: there is no `{layer}`");
    }
    let all: Vec<_> = arrows.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to))).collect();
    println!("{src}: {} rooms, {} arrows, {} rooms in circles", arrows.len(), all.len(), circles(&arrows).len());
    let upward: Vec<_> = all.iter().filter(|(from, to)| rank(to) > rank(from)).collect();
    assert!(upward.is_empty(), "{src}: these use what stands above them: {upward:?}");
}

#[test]
fn modules_use_what_stands_below_them() {
    check("client/src", "crate", CLIENT);
    check("mapper/src", "crate", MAPPER);
    check("derive/src", "crate", DERIVE);
    check("derive/src/expand", "super", EXPAND);
    check("gateway/src", "crate", GATEWAY);
}

#[test]
fn figures_of_another_tree() {
    let Ok(src) = std::env::var("LAYERS_SRC") else { return };
    let arrows = arrows(Path::new(&src), "crate");
    let count: usize = arrows.values().map(BTreeSet::len).sum();
    println!("{src}: {} rooms, {count} arrows, in circles: {:?}", arrows.len(), circles(&arrows));
}
