//! The Rust blocks of README.md compile, in their order: a later block uses what an earlier one declares.

use std::fmt::Write as _;
use std::path::Path;

/// What the blocks leave to the reader: a function around them, and the address of a database.
const BEFORE: &str = "\
#![allow(unused, unreachable_code)]

fn main() {}

async fn readme(url: &str, token: &str) -> Result<(), Box<dyn std::error::Error>> {
";

#[test]
fn every_rust_block_compiles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let blocks = rust_blocks(&readme);
    assert_eq!(blocks.len(), readme.matches("```rust").count(), "a block of another form than the test knows");
    assert!(!blocks.is_empty());

    let mut program = BEFORE.to_owned();
    for (line, block) in blocks {
        writeln!(program, "// README.md, line {line}\n{block}").unwrap();
    }
    program.push_str("Ok(())\n}\n");

    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme.rs");
    std::fs::write(&file, program).unwrap();
    trybuild::TestCases::new().pass(file);
}

/// The blocks that begin with "```rust", and the line on which each begins.
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
