//! The Rust blocks of README.md and CHANGELOG.md compile. A block may use what earlier blocks of its file declare.

use std::fmt::Write as _;
use std::path::Path;

/// What the blocks leave to the reader: the function around them, and the address of a database.
const BEFORE: &str = "\
#![allow(unused)]

fn main() {}

async fn blocks(url: &str, token: &str) -> Result<(), Box<dyn std::error::Error>> {
";

#[test]
fn every_rust_block_compiles() {
    let tests = trybuild::TestCases::new();
    for name in ["README", "CHANGELOG"] {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).with_extension("md");
        let markdown = std::fs::read_to_string(source).unwrap();
        let blocks = rust_blocks(&markdown);
        assert!(!blocks.is_empty(), "{name} has no Rust block");
        assert_eq!(blocks.len(), markdown.matches("```rust").count(), "{name} has a block that this test cannot read");

        let mut program = BEFORE.to_owned();
        for (line, block) in blocks {
            writeln!(program, "// {name}.md, line {line}\n{block}").unwrap();
        }
        program.push_str("Ok(())\n}\n");

        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("rs");
        std::fs::write(&file, program).unwrap();
        tests.pass(file);
    }
}

/// The page about platforms shows the file of an example, which is compiled and run.
#[test]
fn the_page_about_platforms_shows_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("client/src/guide/platforms.md")).unwrap();
    let example = std::fs::read_to_string(root.join("examples/wasi/src/platform.rs")).unwrap();
    assert!(page.contains(&example), "copy examples/wasi/src/platform.rs into platforms.md");
}

/// Returns the blocks in Rust, and the number of the first line of each.
fn rust_blocks(markdown: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if line == "```rust" {
            let block = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
            blocks.push((number + 1, block.collect::<Vec<_>>().join("\n")));
        }
    }
    blocks
}
