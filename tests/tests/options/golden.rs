//! What golden tests send.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use redis_model_tests::sources::{read, root, rust_files};
use syn::visit::Visit as _;

use crate::choices::Choice;
use crate::mentions::mentions;

/// The literals of each golden test: what the client sends.
pub(crate) fn golden() -> Vec<BTreeSet<String>> {
    let files = rust_files(&root().join("tests/tests/golden"));
    let functions = files.iter().flat_map(|path| syn::parse_file(&read(path)).expect("a source file").items);
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
pub(crate) fn is_sent(golden: &[BTreeSet<String>], choice: &Choice) -> bool {
    let has = |text: &String| text.split([' ', '"']).any(|word| word.eq_ignore_ascii_case(&choice.token));
    golden.iter().any(|texts| {
        let mut lines = texts.iter().filter(|text| text.starts_with(&format!("{} ", choice.command)));
        lines.any(|line| has(line) || (line.contains('{') && texts.iter().any(has)))
    })
}
