//! The size of Workers, as they are uploaded.

use std::fs;
use std::path::Path;
use std::process::Command;

use redis_model_tools::{Outcome, printed};

use super::worker;
use crate::workerd::packages_folder;

pub fn run() -> Outcome<()> {
    println!("\nsizes of the WebAssembly in bytes; LTO, codegen-units = 1, panic = abort\n");
    println!("| Worker | opt-level | raw | gzip -9 | raw, wasm-opt | gzip -9, wasm-opt | JavaScript, gzip -9 |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (feature, name) in [("", "no client"), ("get", "a GET"), ("models", "models")] {
        for opt_level in ["z", "s", "3"] {
            let bundle = worker(feature, opt_level)?;
            let (raw, gzip) = (fs::metadata(bundle.wasm())?.len(), compressed(&bundle.wasm())?);
            let level = match opt_level {
                "z" => "-Oz",
                "s" => "-Os",
                _ => "-O3",
            };
            optimize(&bundle.wasm(), level)?;
            let optimized = (fs::metadata(bundle.wasm())?.len(), compressed(&bundle.wasm())?);
            let mut javascript = 0;
            for module in bundle.modules()?.iter().filter(|module| module.ends_with(".js")) {
                javascript += compressed(&bundle.folder.join(module))?;
            }
            println!("| {name} | {opt_level} | {raw} | {gzip} | {} | {} | {javascript} |", optimized.0, optimized.1);
        }
    }
    Ok(())
}

/// Returns the size of a file after `gzip -9`.
fn compressed(path: &Path) -> Outcome<usize> {
    Ok(Command::new("gzip").args(["-9", "-c"]).arg(path).output()?.stdout.len())
}

/// Runs npm's wasm-opt with the features that `worker-build` allows.
fn optimize(wasm: &Path, level: &str) -> Outcome<()> {
    const FEATURES: [&str; 7] = [
        "--enable-mutable-globals",
        "--enable-sign-ext",
        "--enable-nontrapping-float-to-int",
        "--enable-bulk-memory",
        "--enable-multivalue",
        "--enable-reference-types",
        "--enable-exception-handling",
    ];
    let program = packages_folder()?.join("node_modules/binaryen/bin/wasm-opt");
    printed(Command::new("node").arg(program).arg(level).args(FEATURES).arg(wasm).arg("-o").arg(wasm)).map(drop)
}
