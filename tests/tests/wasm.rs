//! The crates compile for wasm: Cloudflare Workers and browsers (`wasm32-unknown-unknown`), and WASI.
//!
//! Without the target and without the compiler's own source, this says NOT CHECKED; `WASM=required` makes it fail instead.
//! `cargo edge test` runs the result.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use redis_model_tests::sources;
use redis_model_tools::printed;
use redis_model_tools::wasm::Library;

const TARGETS: [&str; 3] = ["wasm32-unknown-unknown", "wasm32-wasip1", "wasm32-wasip2"];

#[test]
fn client_and_models_compile_for_wasm() {
    let mut found: BTreeMap<String, (Library, Vec<&str>)> = BTreeMap::new();
    for target in TARGETS {
        match Library::of(target) {
            Ok(library) => found.entry(format!("{library:?}")).or_insert((library, Vec::new())).1.push(target),
            Err(why) if std::env::var("WASM").is_ok_and(|wasm| wasm == "required") => panic!("{why}"),
            Err(why) => {
                // Not by `eprintln`, which is shown only if the test fails.
                let _ = writeln!(std::io::stderr(), "NOT CHECKED: {target}: {why}");
            }
        }
    }
    // A folder of its own: two sets of flags in one rebuild everything for each other.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wasm");
    for (library, targets) in found.values() {
        for features in [&[][..], &["--all-features"]] {
            let mut cargo = library.cargo("check", targets);
            cargo.args(["--quiet", "-p", "redis-rest", "-p", "redis-model"]).args(features);
            cargo.current_dir(sources::root()).arg("--target-dir").arg(&folder);
            cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").env("RUSTFLAGS", "-Dwarnings");
            printed(&mut cargo).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[test]
fn no_file_of_commands_knows_the_target() {
    let folders = ["client/src/commands", "mapper/src/hash", "mapper/src/list", "mapper/src/stream"];
    let files: Vec<_> = folders.iter().flat_map(|folder| sources::rust_files(&sources::root().join(folder))).collect();
    assert!(files.len() > 50, "{}", files.len());
    for file in files {
        let text = sources::read(&file);
        let line = text.lines().find(|line| line.contains("cfg(") && line.contains("target"));
        assert_eq!(line, None, "{}: what depends on the target belongs into the seam", file.display());
    }
}
